/**
 * The page at the end of `janus doctor --login`: what the provider says of the operator, and what the rules make of it. It is
 * for operators, so it is in English. Values are shown on request, since somebody may look over the operator's shoulder.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { Examined } from "../operator/doctor/login.ts";
import type { Outcome } from "../rules/evaluate.ts";
import { describeJson } from "../rules/values.ts";
import { printable } from "../text/printable.ts";
import type { PageContext } from "./parts.tsx";
import { renderPage } from "./parts.tsx";

/** More claims than any provider has; the rest is counted. */
const MAX_CLAIMS = 200;
const MAX_VALUE_LENGTH = 2_000;
const MAX_NAME_LENGTH = 200;

const TOKENS_END: Readonly<Record<Examined["tokensEnd"], string>> = {
  revoked: "The tokens of this sign-in were revoked.",
  no_revocation: "The provider revokes no such tokens. Janus has forgotten them.",
  not_revoked:
    "The tokens of this sign-in could not be revoked. Janus has forgotten them, and they end by themselves.",
};

/** What a sign-in has shown. */
export function renderExamination(context: PageContext, examined: Examined): string {
  return renderPage(
    context,
    "What the provider says of you",
    <>
      <p>Nothing was stored, and nothing was linked. {TOKENS_END[examined.tokensEnd]}</p>
      <Rules {...examined} />
      <Claims {...examined} />
      <Sources {...examined} />
      <Grant {...examined} />
    </>,
  );
}

function Rules({ rules, verdict }: Pick<Examined, "rules" | "verdict">) {
  const { admit, platformUsername } = rules;
  return (
    <section>
      <h2>Rules</h2>
      <p>What reads the Discord account or the link is unknown here: nobody has signed in at Discord.</p>
      <dl>
        <Rule
          name="admit"
          expression={admit?.when.expression ?? "without it, everyone who can sign in may link"}
          outcome={verdict.admitted}
        />
        <Rule
          name="platform_username"
          expression={platformUsername?.expression ?? "without it, none"}
          outcome={verdict.platformUsername}
        />
        {rules.records.map(({ record, value }) => (
          <Rule
            key={record.key}
            name={record.key}
            expression={value.expression}
            outcome={verdict.records.find(({ key }) => key === record.key)?.outcome}
          />
        ))}
      </dl>
    </section>
  );
}

type RuleProps = {
  readonly name: string;
  readonly expression: string;
  readonly outcome: Outcome<boolean | string> | undefined;
};

function Rule({ name, expression, outcome }: RuleProps) {
  return (
    <div>
      <dt>
        <bdi>{name}</bdi>
      </dt>
      <dd>
        <code>{printable(expression, MAX_VALUE_LENGTH)}</code>
        <br />
        {describeOutcome(outcome)}
      </dd>
    </div>
  );
}

function describeOutcome(outcome: RuleProps["outcome"]) {
  switch (outcome?.outcome) {
    case "value":
      return (
        <>
          Value: <Value json={outcome.value} />
        </>
      );
    case "unknown":
      return `Unknown: ${printable(outcome.missing, MAX_NAME_LENGTH)} is missing.`;
    case "error":
      return `Error: ${printable(outcome.reason, MAX_VALUE_LENGTH)}`;
    case undefined:
      return "Not evaluated.";
  }
}

function Claims({ claims, idTokenClaims }: Pick<Examined, "claims" | "idTokenClaims">) {
  const all = Object.entries(claims).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <section>
      <h2>Claims</h2>
      <dl>
        {all.slice(0, MAX_CLAIMS).map(([name, json]) => (
          <div key={name}>
            <dt>
              <bdi>{printable(name, MAX_NAME_LENGTH)}</bdi>
            </dt>
            <dd>
              {describeJson(json)}, from {idTokenClaims.includes(name) ? "the ID Token" : "UserInfo"}
              <Hidden json={json} />
            </dd>
          </div>
        ))}
      </dl>
      {all.length > MAX_CLAIMS && <p>{all.length - MAX_CLAIMS} more claims are not shown.</p>}
    </section>
  );
}

function Sources({ rules, sources }: Pick<Examined, "rules" | "sources">) {
  if (rules.sources.length === 0) return null;
  return (
    <section>
      <h2>Sources</h2>
      <dl>
        {rules.sources.map(({ name, url }) => (
          <div key={name}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <code>{printable(url, MAX_VALUE_LENGTH)}</code>
              <br />
              {Object.hasOwn(sources, name) ? (
                <>
                  {describeJson(sources[name])}
                  <Hidden json={sources[name]} />
                </>
              ) : (
                "No usable answer: the log of the server says why."
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Grant({ hasRefreshToken, scope }: Pick<Examined, "hasRefreshToken" | "scope">) {
  return (
    <section>
      <h2>Tokens</h2>
      <p>
        {hasRefreshToken
          ? "A refresh token came."
          : "No refresh token came: Janus cannot ask the provider again without the member."}
      </p>
      <p>
        {scope === undefined ? (
          "The provider does not say which scopes it granted, which means those that were asked for."
        ) : (
          <>
            Granted scopes: <code>{printable(scope, MAX_VALUE_LENGTH)}</code>
          </>
        )}
      </p>
    </section>
  );
}

function Hidden({ json }: { readonly json: unknown }) {
  return (
    <details>
      <summary>Show the value</summary>
      <Value json={json} />
    </details>
  );
}

const Value = ({ json }: { readonly json: unknown }) => (
  <code>{printable(JSON.stringify(json) ?? "", MAX_VALUE_LENGTH)}</code>
);
