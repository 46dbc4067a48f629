/**
 * One member for administrators: their accounts, what they get and why, how the link is kept true, what happened, and what
 * can be done. Of tokens it shows only whether they are there. The questions are in `admin_question.tsx`.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { Explained } from "../operator/explain.ts";
import type { Grant, ShownLink } from "../operator/show_link.ts";
import type { Outcome } from "../rules/evaluate.ts";
import type { AdminContext } from "./admin_parts.tsx";
import {
  Code,
  Figures,
  LINKS_PATH,
  memberPath,
  renderAdminPage,
  sayNumber,
  sayWhen,
} from "./admin_parts.tsx";
import { ADMIN_ACTIONS } from "./admin_question.tsx";
import type { Pair } from "./parts.tsx";
import { Accounts, ArrowLink, say, sayTime } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

type Props = { readonly context: AdminContext; readonly link: ShownLink };

/** Everything about one member. */
export function renderAdminMember(context: AdminContext, link: ShownLink): string {
  const { admin: texts } = TEXTS[context.language];
  return renderAdminPage(
    context,
    texts.member,
    <>
      <Accounts context={context} pair={pairOf(link)} />
      <Facts context={context} link={link} />
      <Records context={context} link={link} />
      <Actions context={context} discordUserId={link.discordUserId} />
      <Trail context={context} link={link} />
    </>,
  );
}

const pairOf = ({ username, globalName, organisationName }: ShownLink): Pair => ({
  discord: { username, globalName },
  organisationName,
});

function Facts({ context, link }: Props) {
  const { admin: texts } = TEXTS[context.language];
  const { checks, pushes, grants, sync, roleConnectionLeftAt } = link;
  const failed = ({ failures, failedCode }: { failures: number; failedCode: string | null }) => (
    <>
      {sayNumber(context, failures)} {failedCode !== null && <code>{failedCode}</code>}
    </>
  );
  return (
    <section>
      <Figures
        rows={[
          [texts.discordId, <code>{link.discordUserId}</code>],
          [say(texts.subject, context), <Code>{link.subject}</Code>],
          [texts.linkedAt, sayWhen(context, link.linkedAt, texts.never)],
          [
            texts.state,
            <>
              {texts.states[link.state]}, <code>{sync.state}</code>
            </>,
          ],
          [texts.checkedAt, sayWhen(context, checks.at, texts.never)],
          [texts.nextCheck, sayWhen(context, checks.nextAt, texts.none)],
          ...(checks.failures === 0 ? [] : ([[texts.failures, failed(checks)]] as const)),
          [texts.pushedAt, sayWhen(context, pushes.at, texts.never)],
          [texts.nextPush, sayWhen(context, pushes.dueAt, texts.none)],
          ...(pushes.failures === 0 ? [] : ([[texts.failures, failed(pushes)]] as const)),
          [`${texts.tokens}: Discord`, <GrantFacts context={context} grant={grants.discord} />],
          [
            <>
              {texts.tokens}: <bdi>{context.platformName}</bdi>
            </>,
            <GrantFacts context={context} grant={grants.provider} />,
          ],
          [texts.sessions, sayNumber(context, link.sessions)],
          ...(roleConnectionLeftAt === null
            ? []
            : ([[texts.roleLeft, sayWhen(context, roleConnectionLeftAt, texts.never)]] as const)),
        ]}
      />
    </section>
  );
}

function GrantFacts({ context, grant }: { readonly context: AdminContext; readonly grant: Grant | null }) {
  const { admin: texts } = TEXTS[context.language];
  if (grant === null) return <>{texts.none}</>;
  const { expiresAt, endedAt, hasRefreshToken } = grant;
  if (endedAt !== null) return <>{sayTime(texts.tokenEnded, context, endedAt)}</>;
  return (
    <>
      {hasRefreshToken ? texts.tokenRefresh : texts.tokenNoRefresh}
      {expiresAt !== null && <>, {sayTime(texts.tokenUntil, context, expiresAt)}</>}
    </>
  );
}

/** What Discord has, what each rule says, and the rule itself. */
function Records({ context, link: { records, explanation } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  const { admit, platformUsername } = explanation;
  const expressions = new Map(explanation.records.map(({ key, rule }) => [key, rule.expression]));
  return (
    <section>
      <h2>{texts.whyTitle}</h2>
      <ul class="rows">
        {admit !== undefined && <Ruled context={context} name={texts.admitted} explained={admit} />}
        {records.map(({ key, discordHas, outcome }) => (
          <li class="row" key={key}>
            <Code>{key}</Code>
            <small>{say(texts.discordHas, context, <Code>{discordHas ?? "–"}</Code>)}</small>
            <small>
              {outcome === null
                ? texts.noRule
                : say(texts.rulesSay, context, <Said context={context} outcome={outcome} />)}
            </small>
            {expressions.has(key) && (
              <small>
                <Code>{expressions.get(key) ?? ""}</Code>
              </small>
            )}
          </li>
        ))}
        {platformUsername !== undefined && (
          <Ruled context={context} name={texts.username} explained={platformUsername} />
        )}
      </ul>
    </section>
  );
}

function Ruled({
  context,
  name,
  explained,
}: {
  readonly context: AdminContext;
  readonly name: string;
  readonly explained: Explained<boolean> | Explained<string>;
}) {
  const { admin: texts } = TEXTS[context.language];
  return (
    <li class="row">
      <span class="account">{name}</span>
      <small>{say(texts.rulesSay, context, <Said context={context} outcome={explained.outcome} />)}</small>
      <small>
        <Code>{explained.rule.expression}</Code>
      </small>
    </li>
  );
}

function Said({
  context,
  outcome,
}: {
  readonly context: AdminContext;
  readonly outcome: Outcome<boolean> | Outcome<string>;
}) {
  const { admin: texts } = TEXTS[context.language];
  switch (outcome.outcome) {
    case "value":
      if (typeof outcome.value === "boolean") return <>{outcome.value ? texts.yes : texts.no}</>;
      return <Code>{outcome.value}</Code>;
    case "unknown":
      return <>{say(texts.unknown, context, <Code>{outcome.missing}</Code>)}</>;
    case "error":
      return <>{say(texts.error, context, <Code>{outcome.reason}</Code>)}</>;
  }
}

function Actions({
  context,
  discordUserId,
}: {
  readonly context: AdminContext;
  readonly discordUserId: string;
}) {
  const { admin: texts } = TEXTS[context.language];
  return (
    <section>
      <h2>{texts.changeTitle}</h2>
      <div class="actions">
        <form method="post" action={memberPath(discordUserId, "sync")}>
          <button class="button quiet" type="submit" name="confirm" value="yes">
            {texts.sync}
          </button>
        </form>
        {ADMIN_ACTIONS.map((action) => (
          <ArrowLink key={action} href={memberPath(discordUserId, action)} quiet>
            {{ sessions: texts.endSessions, unlink: texts.unlink, ban: texts.ban }[action]}
          </ArrowLink>
        ))}
      </div>
    </section>
  );
}

function Trail({ context, link: { trail } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  return (
    <section>
      <h2>{texts.trailTitle}</h2>
      <ul class="rows">
        {trail.map(({ auditEventId, occurredAt, action, operator }) => (
          <li class="row" key={auditEventId}>
            <code>{action}</code>
            <small>
              {sayWhen(context, occurredAt, "")}
              {operator !== null && <>, {say(texts.byOperator, context, <Code>{operator}</Code>)}</>}
            </small>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The account has no link, or no longer. */
export function renderAdminNoLink(context: AdminContext): string {
  const { admin: texts } = TEXTS[context.language];
  return renderAdminPage(
    context,
    texts.noLinkTitle,
    <>
      <p>{texts.noLink}</p>
      <ArrowLink href={LINKS_PATH} quiet>
        {texts.members}
      </ArrowLink>
    </>,
  );
}
