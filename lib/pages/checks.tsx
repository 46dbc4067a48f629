/**
 * What keeps the link true, in the section about the roles: when the organisation was last asked about the account, when it
 * is asked next, and what the member can do where that is not enough.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { LinkFacts } from "../member/facts.ts";
import type { PageContext } from "./parts.tsx";
import { say, sayTime } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

type Props = { readonly context: PageContext; readonly link: LinkFacts };

/** The last check and the next one, as items of a list. */
export function CheckItems({ context, link: { claimsSeenAt, nextCheckAt } }: Props) {
  const { checks } = TEXTS[context.language];
  return (
    <>
      <li>{sayTime(checks.last, context, claimsSeenAt)}</li>
      {nextCheckAt !== null && <li>{sayTime(checks.next, context, nextCheckAt)}</li>}
    </>
  );
}

/** Whether only a new sign-in keeps the roles, or keeps them right. */
export const needsSignIn = ({ sync: { state } }: LinkFacts): boolean =>
  state === "grace" || state === "ended" || state === "gone" || state === "discord_ended";

/** Whether a new sign-in helps, although no role depends on it. */
export const gainsBySignIn = ({ sync }: LinkFacts): boolean =>
  sync.state === "not_readable" || (sync.state === "check_failing" && sync.remedy === "sign_in");

/** For a member whose roles depend on a new sign-in: since when, and until when there is time. */
export function SignInNotice({ context, link: { sync } }: Props) {
  const { checks } = TEXTS[context.language];
  if (sync.state === "gone")
    return (
      <p class="notice">
        {sayTime(checks.gone, context, sync.since)} {say(checks.goneSoon, context)}
      </p>
    );
  if (sync.state === "discord_ended")
    return (
      <p class="notice">
        {sayTime(checks.discordEnded, context, sync.since)} {checks.discordEndedNow}
      </p>
    );
  if (sync.state !== "grace" && sync.state !== "ended") return null;
  return (
    <p class="notice">
      {sayTime(checks.noAccess, context, sync.since)}{" "}
      {sync.state === "grace" ? sayTime(checks.graceUntil, context, sync.until) : checks.graceOver}
    </p>
  );
}

/** What else stands in the way of the next check, or of an update that would take a role. */
export function CheckRemark({ context, link: { sync } }: Props) {
  const { checks } = TEXTS[context.language];
  switch (sync.state) {
    case "held":
      return <p>{sayTime(checks.held, context, sync.since)}</p>;
    case "not_readable":
      return <p>{say(checks.notReadable, context)}</p>;
    case "check_failing":
      return <p>{say(sync.remedy === "wait" ? checks.failing : checks.failingHere, context)}</p>;
    default:
      return null;
  }
}
