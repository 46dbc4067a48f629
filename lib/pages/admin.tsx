/**
 * The pages of administrators: the sign-in, the overview, and the question before held changes are released. They run no
 * script: a form makes each change, and a page of its own asks before those that cost a member something.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { Overview } from "../operator/admin/overview.ts";
import { SearchForm } from "./admin_links.tsx";
import type { AdminContext } from "./admin_parts.tsx";
import {
  ADMIN_PATH,
  BRAKE_PATH,
  Figures,
  LINKS_PATH,
  renderAdminPage,
  sayNumber,
  UNKNOWN_CODE,
} from "./admin_parts.tsx";
import type { PageContext } from "./parts.tsx";
import { ArrowLink, RequestId, renderPage, say, sayTime } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

const SIGN_IN_PATH = "/admin/sign-in";

/** For everybody who has not signed in as an administrator. */
export function renderAdminSignIn(context: PageContext): string {
  const { admin: texts } = TEXTS[context.language];
  return renderPage(
    context,
    texts.signInTitle,
    <>
      <p>{say(texts.signInLead, context)}</p>
      <ArrowLink href={SIGN_IN_PATH}>
        {texts.signInButton.replace("{platform}", () => context.platformName)}
      </ArrowLink>
    </>,
    "signedOut",
  );
}

/** For somebody whom the rule does not let in, or no longer. */
export function renderAdminRefused(context: PageContext): string {
  const { admin: texts } = TEXTS[context.language];
  return renderPage(
    context,
    texts.refusedTitle,
    <>
      <p>{say(texts.refusedWhy, context)}</p>
      <p>{say(texts.refusedNow, context)}</p>
      <ArrowLink href={SIGN_IN_PATH} quiet>
        {texts.signInTitle}
      </ArrowLink>
      <RequestId context={context} />
    </>,
    "attention",
  );
}

/** The first page: the state of all links, and nobody by name. */
export function renderOverview(context: AdminContext, overview: Overview): string {
  const { admin: texts } = TEXTS[context.language];
  return renderAdminPage(
    context,
    texts.title,
    <>
      <SearchForm context={context} selection={{}} />
      <Attention context={context} overview={overview} />
      <Links context={context} overview={overview} />
      <Brake context={context} overview={overview} />
      <Backlog context={context} overview={overview} />
      <Week context={context} overview={overview} />
      <Failing context={context} overview={overview} />
    </>,
    ADMIN_PATH,
  );
}

type Props = { readonly context: AdminContext; readonly overview: Overview };

function Attention({ context, overview: { status } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  const known: Readonly<Record<string, string>> = texts.attention;
  return (
    <section>
      <h2>{texts.attentionTitle}</h2>
      {status.attention.length === 0 ? (
        <p>{texts.nothing}</p>
      ) : (
        <Figures
          rows={status.attention.map(({ kind, count }) => [
            known[kind] ?? <code>{kind}</code>,
            sayNumber(context, count),
          ])}
        />
      )}
    </section>
  );
}

const STATES = ["told", "waiting", "losing", "disconnected", "cleared"] as const;

function Links({ context, overview: { status } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  return (
    <section>
      <h2>{texts.linksTitle}</h2>
      <Figures
        rows={[
          [<a href={LINKS_PATH}>{texts.all}</a>, sayNumber(context, status.links.all)],
          ...STATES.map(
            (state) =>
              [
                <a href={`${LINKS_PATH}?state=${state}`}>{texts.states[state]}</a>,
                sayNumber(context, status.links[state]),
              ] as const,
          ),
        ]}
      />
    </section>
  );
}

function Brake({ context, overview: { status } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  const { heldSince, held } = status.brake;
  return (
    <section>
      <h2>{texts.brakeTitle}</h2>
      {heldSince === null ? (
        <p>{texts.brakeFree}</p>
      ) : (
        <>
          <p class="notice">{sayTime(texts.brakeHeld, context, heldSince)}</p>
          <Figures rows={[[texts.brakeWaiting, sayNumber(context, held)]]} />
          <ArrowLink href={`${LINKS_PATH}?state=losing`} quiet>
            {texts.members}
          </ArrowLink>
          <ArrowLink href={BRAKE_PATH} quiet>
            {texts.brakeButton}
          </ArrowLink>
        </>
      )}
    </section>
  );
}

function Backlog({ context, overview: { status } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  const due = ({ due: count, oldest }: typeof status.checks) => (
    <>
      {sayNumber(context, count)}
      {oldest !== null && <>, {sayTime(texts.oldest, context, oldest)}</>}
    </>
  );
  return (
    <section>
      <h2>{texts.syncTitle}</h2>
      <Figures
        rows={[
          [texts.checksDue, due(status.checks)],
          [texts.pushesDue, due(status.pushes)],
          ...status.stops.map(
            ({ upstream, code, until }) =>
              [
                <>
                  {upstream} <code>{code}</code>
                </>,
                sayTime(texts.stopped, context, until),
              ] as const,
          ),
        ]}
      />
    </section>
  );
}

const WEEK = [
  "begun",
  "finished",
  "notAdmitted",
  "unlinked",
  "signedIn",
  "pushed",
  "cleared",
  "pushesFailed",
] as const;

function Week({ context, overview: { status, week } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  const { discord, provider } = status.grantsEnded;
  return (
    <section>
      <h2>{texts.weekTitle}</h2>
      <Figures
        rows={[
          ...WEEK.map((name) => [texts.week[name], sayNumber(context, week[name])] as const),
          [texts.week.discordGrantsEnded, sayNumber(context, discord)],
          [say(texts.week.providerGrantsEnded, context), sayNumber(context, provider)],
        ]}
      />
    </section>
  );
}

function Failing({ context, overview: { failing } }: Props) {
  const { admin: texts } = TEXTS[context.language];
  return (
    <section>
      <h2>{texts.failingTitle}</h2>
      {failing.length === 0 ? (
        <p>{texts.failingNone}</p>
      ) : (
        <Figures
          rows={failing.map(({ code, links }) => [
            code === UNKNOWN_CODE ? (
              <code>{code}</code>
            ) : (
              <a href={`${LINKS_PATH}?${new URLSearchParams({ error: code })}`}>
                <code>{code}</code>
              </a>
            ),
            sayNumber(context, links),
          ])}
        />
      )}
    </section>
  );
}

/** The field that says until when losses were counted, in milliseconds since 1970. */
export const COUNTED_AT = "counted_at";

/** The question before held changes are released. */
export function renderBrakeQuestion(
  context: AdminContext,
  { waiting, countedAt }: { readonly waiting: number; readonly countedAt: Date },
): string {
  const { admin: texts } = TEXTS[context.language];
  const back = (
    <ArrowLink href={ADMIN_PATH} quiet>
      {texts.back}
    </ArrowLink>
  );
  if (waiting === 0) return renderAdminPage(context, texts.brakeFree, back);
  return renderAdminPage(
    context,
    texts.brakeQuestion,
    <>
      <p>{say(texts.brakeLead, context)}</p>
      <Figures rows={[[texts.brakeWaiting, sayNumber(context, waiting)]]} />
      <form method="post" action={BRAKE_PATH}>
        <input type="hidden" name={COUNTED_AT} value={String(countedAt.getTime())} />
        <button class="button" type="submit">
          {texts.brakeButton}
        </button>
        {back}
      </form>
    </>,
  );
}
