/**
 * The section about the roles where Discord has nothing of a member who is linked: since when, why, and how the roles come
 * back.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChildren } from "preact";
import type { LinkFacts } from "../member/facts.ts";
import { isDiscordBehind } from "../member/facts.ts";
import { CheckItems } from "./checks.tsx";
import type { Admitting } from "./not_admitted.tsx";
import { OperatorMessage } from "./not_admitted.tsx";
import type { PageContext } from "./parts.tsx";
import { ArrowLink, FormButton, say, sayTime } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

type Props = { readonly context: PageContext; readonly link: LinkFacts };
type WithRules = Props & { readonly rules: Admitting };

/** Whether Discord has nothing of the member, and gets nothing with the next update either. */
export const isCleared = ({ clearedAt, admission, sync }: LinkFacts): boolean =>
  clearedAt !== null && (admission !== "admitted" || sync.state === "ended" || sync.state === "gone");

/** Janus has cleared what Discord had. A new sign-in brings the organisation's latest answer. */
export function Cleared({ context, link, rules }: WithRules) {
  const { clearedAt } = link;
  return (
    <>
      {clearedAt !== null && <Reason context={context} link={link} clearedAt={clearedAt} rules={rules} />}
      <ul class="facts">
        <CheckItems context={context} link={link} />
      </ul>
      <ArrowLink href="/linked-role">{TEXTS[context.language].buttons.signInAgain}</ArrowLink>
    </>
  );
}

/** Why the member has no role now. After a new sign-in, that need not be why Janus cleared it. */
function Reason({
  context,
  link,
  clearedAt,
  rules,
}: WithRules & { readonly clearedAt: Date }): ComponentChildren {
  const { role, checks } = TEXTS[context.language];
  if (link.sync.state === "gone")
    return (
      <>
        <p>{sayTime(checks.gone, context, link.sync.since)}</p>
        <p>{say(checks.goneNow, context)}</p>
      </>
    );
  if (link.clearCause === "grant_ended" && link.sync.state === "ended")
    return (
      <>
        <p>{sayTime(checks.ended, context, clearedAt)}</p>
        <p>{checks.endedNow}</p>
      </>
    );
  if (link.clearCause !== "not_admitted" && link.admission === "unknown")
    return (
      <p>
        {sayTime(role.lost, context, clearedAt)} {say(role.admissionUnknown, context)}
      </p>
    );
  return (
    <>
      <p>{sayTime(role.cleared, context, clearedAt)}</p>
      <OperatorMessage context={context} rules={rules} />
      <p>{say(role.clearedNow, context)}</p>
    </>
  );
}

/** The member has removed the connection in Discord. Janus leaves it so until they want it back. */
export function Disconnected({ context, link, since }: Props & { readonly since: Date }) {
  const { role, checks, buttons } = TEXTS[context.language];
  const { nextPushAt } = link;
  return (
    <>
      <p>{sayTime(checks.disconnected, context, since)}</p>
      <p>
        {nextPushAt !== null && isDiscordBehind(link)
          ? sayTime(role.nextTry, context, nextPushAt)
          : say(checks.disconnectedNow, context, <strong>{buttons.sync}</strong>)}
      </p>
      <ul class="facts">
        <CheckItems context={context} link={link} />
      </ul>
      <div class="actions">
        <FormButton action="/api/link/sync">{buttons.sync}</FormButton>
      </div>
    </>
  );
}

/** The member has removed Janus itself in Discord. Only a new sign-in brings the roles back. */
export function Deauthorized({ context, link, since }: Props & { readonly since: Date }) {
  const { checks, buttons } = TEXTS[context.language];
  return (
    <>
      <p>{sayTime(checks.deauthorized, context, since)}</p>
      <p>{checks.deauthorizedNow}</p>
      <ul class="facts">
        <CheckItems context={context} link={link} />
      </ul>
      <ArrowLink href="/linked-role">{buttons.signInAgain}</ArrowLink>
    </>
  );
}
