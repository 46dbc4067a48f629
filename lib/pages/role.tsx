/**
 * The section of the member's own page about the roles on Discord: what Discord has, whether that gives a role, and the next
 * step for the member. `records.tsx` puts each record into words, `checks.tsx` when the account was checked, and
 * `lost_role.tsx` why Discord has nothing.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { LinkFacts, RecordFacts } from "../member/facts.ts";
import { isDiscordBehind } from "../member/facts.ts";
import { CheckItems, CheckRemark, gainsBySignIn, needsSignIn, SignInNotice } from "./checks.tsx";
import { Cleared, Deauthorized, Disconnected, isCleared } from "./lost_role.tsx";
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
  return (
    <section>
      <h2>{TEXTS[context.language].role.title}</h2>
      <Content context={context} page={page} />
    </section>
  );
}

function Content({ context, page }: Section<{ readonly page: RolePage }>) {
  const { link, rules } = page;
  if (link === null) return <NotLinked context={context} page={page} />;
  if (isCleared(link)) return <Cleared context={context} link={link} rules={rules} />;
  if (link.sync.state === "disconnected")
    return <Disconnected context={context} link={link} since={link.sync.since} />;
  if (link.sync.state === "deauthorized")
    return <Deauthorized context={context} link={link} since={link.sync.since} />;
  return <Told context={context} link={link} page={page} />;
}

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

/** What Discord has been told, or is to be told. */
function Told({ context, link, page }: LinkSection) {
  const { role } = TEXTS[context.language];
  const hasAnswers = link.pushedMetadata !== null && link.clearedAt === null;
  const isHeld = link.sync.state === "held";
  const isUpToDate = !isDiscordBehind(link) && !isOutOfDate(link);
  const isTellable = link.sync.state !== "discord_ended";
  const isUpdateMissing = isTellable && (isHeld ? isDiscordBehind(link) : !isUpToDate);
  const saysRule = hasAnswers && link.admission !== "refused" && !isHeld && !needsSignIn(link);
  return (
    <>
      <SignInNotice context={context} link={link} />
      {hasAnswers && <DiscordAnswers context={context} link={link} />}
      {isUpdateMissing && <NextUpdate context={context} link={link} />}
      {link.admission === "refused" && <OperatorMessage context={context} rules={page.rules} />}
      {saysRule && (
        <p>
          {isUpToDate && role.knows} <RoleRule context={context} records={link.records} />
        </p>
      )}
      {link.admission === "unknown" && <p>{say(role.admissionUnknown, context)}</p>}
      <CheckRemark context={context} link={link} />
      <Actions context={context} link={link} page={page} />
    </>
  );
}

function Actions({ context, link, page }: LinkSection) {
  const { buttons } = TEXTS[context.language];
  if (needsSignIn(link)) return <ArrowLink href="/linked-role">{buttons.signInAgain}</ArrowLink>;
  return (
    <>
      <div class="actions">
        <ArrowLink href={page.discordAppUrl}>{buttons.backToDiscord}</ArrowLink>
        <FormButton action="/api/link/sync">{buttons.sync}</FormButton>
        {gainsBySignIn(link) && (
          <ArrowLink href="/linked-role" quiet>
            {buttons.signInAgain}
          </ArrowLink>
        )}
      </div>
      <DiscordAppLink context={context} url={page.discordAppUrl} />
    </>
  );
}

/** Whether the next update would tell Discord something else. */
const isOutOfDate = ({ records, admission, clearedAt }: LinkFacts): boolean =>
  records.some(isStale) || admission === "refused" || clearedAt !== null;

/** Whether it may be what the member lost. */
const isNothing = ({ value }: RecordFacts): boolean => value === null || value === "0";

/** The answers that Discord accepted last, when that was, and when the next update and the next check are due. */
function DiscordAnswers({ context, link }: Section<{ readonly link: LinkFacts }>) {
  const { role } = TEXTS[context.language];
  const { records, pushedAt, nextPushAt, lostAt } = link;
  const isPlanned = nextPushAt !== null && !isDiscordBehind(link);
  return (
    <>
      {records.length > 1 && <p>{say(role.knownThrough, context)}</p>}
      <ul class="facts">
        <RecordItems context={context} records={records} />
        {pushedAt !== null && <li>{sayTime(role.lastTold, context, pushedAt)}</li>}
        {isPlanned && <li>{sayTime(role.nextUpdate, context, nextPushAt)}</li>}
        {lostAt !== null && records.some(isNothing) && <li>{sayTime(role.removed, context, lostAt)}</li>}
        <CheckItems context={context} link={link} />
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
