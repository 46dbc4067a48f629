/**
 * The section of the member's own page about the roles on Discord: what Discord has, whether that gives a role, and the next
 * step for the member. `records.tsx` puts each record into words.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { LinkFacts } from "../member/facts.ts";
import { isDiscordBehind } from "../member/facts.ts";
import type { Admitting } from "./not_admitted.tsx";
import { OperatorMessage } from "./not_admitted.tsx";
import type { PageContext } from "./parts.tsx";
import { ArrowLink, DiscordAppLink, FormButton, say, sayTime } from "./parts.tsx";
import { isStale, RecordItems, RoleRule } from "./records.tsx";
import { TEXTS } from "./texts/languages.ts";

/** What the section shows. */
export type RolePage = {
  readonly link: LinkFacts | null;
  /** True if the member may still have a role from an earlier link. */
  readonly roleMayStay: boolean;
  readonly rules: Admitting;
  readonly discordAppUrl: string;
};

type Section<Props> = Props & { readonly context: PageContext };
type LinkSection = Section<{ readonly link: LinkFacts; readonly page: RolePage }>;

/** The section. Without a link, it says how to get one. */
export function Role({ context, page }: Section<{ readonly page: RolePage }>) {
  const { link } = page;
  return (
    <section>
      <h2>{TEXTS[context.language].role.title}</h2>
      {link === null && <NotLinked context={context} page={page} />}
      {link !== null && isCleared(link) && <Cleared context={context} link={link} page={page} />}
      {link !== null && !isCleared(link) && <Told context={context} link={link} page={page} />}
    </section>
  );
}

/** Whether Discord has nothing of the member, and gets nothing with the next update either. */
const isCleared = ({ clearedAt, admission }: LinkFacts): boolean =>
  clearedAt !== null && admission !== "admitted";

function NotLinked({ context, page: { roleMayStay } }: Section<{ readonly page: RolePage }>) {
  const { role, buttons } = TEXTS[context.language];
  return (
    <>
      <p>{say(role.notLinked, context)}</p>
      {roleMayStay && <p class="notice">{say(role.mayStay, context)}</p>}
      <ArrowLink href="/linked-role">{buttons.linkAccount}</ArrowLink>
    </>
  );
}

/** The rules do not admit the member any more. Only a new sign-in brings new claims. */
function Cleared({ context, link: { clearedAt }, page }: LinkSection) {
  const { role, buttons } = TEXTS[context.language];
  return (
    <>
      {clearedAt !== null && <p>{sayTime(role.cleared, context, clearedAt)}</p>}
      <OperatorMessage context={context} rules={page.rules} />
      <p>{say(role.clearedNow, context)}</p>
      <ArrowLink href="/linked-role">{buttons.signInAgain}</ArrowLink>
    </>
  );
}

/** What Discord has been told, or is to be told. */
function Told({ context, link, page }: LinkSection) {
  const { role, buttons } = TEXTS[context.language];
  const hasAnswers = link.pushedMetadata !== null && link.clearedAt === null;
  const isUpToDate = !isDiscordBehind(link) && !isOutOfDate(link);
  return (
    <>
      {hasAnswers && <DiscordAnswers context={context} link={link} />}
      {!isUpToDate && <NextUpdate context={context} link={link} />}
      {link.admission === "refused" && <OperatorMessage context={context} rules={page.rules} />}
      {hasAnswers && link.admission !== "refused" && (
        <p>
          {isUpToDate && role.knows} <RoleRule context={context} records={link.records} />
        </p>
      )}
      {link.admission === "unknown" && <p>{say(role.admissionUnknown, context)}</p>}
      <div class="actions">
        <ArrowLink href={page.discordAppUrl}>{buttons.backToDiscord}</ArrowLink>
        <FormButton action="/api/link/sync">{buttons.sync}</FormButton>
      </div>
      <DiscordAppLink context={context} url={page.discordAppUrl} />
    </>
  );
}

/** Whether the next update would tell Discord something else. */
const isOutOfDate = ({ records, admission, clearedAt }: LinkFacts): boolean =>
  records.some(isStale) || admission === "refused" || clearedAt !== null;

/** The answers that Discord accepted last, when that was, and when the next update is due. */
function DiscordAnswers({ context, link }: Section<{ readonly link: LinkFacts }>) {
  const { role } = TEXTS[context.language];
  const { records, pushedAt, nextPushAt } = link;
  const isPlanned = nextPushAt !== null && !isDiscordBehind(link);
  const isOver = nextPushAt === null && !isDiscordBehind(link) && !isOutOfDate(link);
  return (
    <>
      {records.length > 1 && <p>{say(role.knownThrough, context)}</p>}
      <ul class="facts">
        <RecordItems context={context} records={records} />
        {pushedAt !== null && <li>{sayTime(role.lastTold, context, pushedAt)}</li>}
        {isPlanned && <li>{sayTime(role.nextCheck, context, nextPushAt)}</li>}
        {isOver && <li>{role.noCheck}</li>}
      </ul>
    </>
  );
}

/** Says what Discord has still to be told, and when. */
function NextUpdate({ context, link }: Section<{ readonly link: LinkFacts }>) {
  const { role, buttons } = TEXTS[context.language];
  const { nextPushAt } = link;
  return (
    <p>
      {say(whatChanged(context, link), context)}{" "}
      {nextPushAt === null && say(role.noTry, context, <strong>{buttons.sync}</strong>)}
      {nextPushAt !== null && isDiscordBehind(link) && sayTime(role.nextTry, context, nextPushAt)}
    </p>
  );
}

function whatChanged({ language }: PageContext, link: LinkFacts): string {
  const { role } = TEXTS[language];
  if (link.clearedAt !== null) return role.readmitted;
  if (link.admission === "refused") return role.refused;
  if (link.pushedMetadata === null) return role.notTold;
  return isDiscordBehind(link) ? role.outdated : role.changed;
}
