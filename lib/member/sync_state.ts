/** What keeps a link true, or keeps it from being true, in one state: since when, and what the member can do. */
import type { SessionWithLink } from "../session/guard.ts";
import type { GraceNeeds } from "../sync/decision.ts";
import { graceEndOf } from "../sync/decision.ts";
import { secondsAfter } from "../time.ts";

/** How a link is kept true. Of several that hold, the one for which the member has most to do. */
export type SyncState =
  /** The claims were read when they were due, and are read again. */
  | { readonly state: "checked" }
  /** They could not be read the last time, and that is tried again. If it goes on, the remedy helps. */
  | { readonly state: "check_failing"; readonly remedy: "wait" | "sign_in" }
  /** They keep their age until a sign-in: no token reads them again. */
  | { readonly state: "not_readable"; readonly why: "no_refresh_token" | "unanswered" }
  /** The provider has ended the grant. Without a sign-in until then, the role connection is cleared. */
  | { readonly state: "grace"; readonly since: Date; readonly until: Date }
  /** The grace is over. `since` is when the provider ended the grant. */
  | { readonly state: "ended"; readonly since: Date }
  /** The organisation says that the membership has ended. */
  | { readonly state: "gone"; readonly since: Date }
  /** The rules take something that the member keeps, because many members would lose something. */
  | { readonly state: "held"; readonly since: Date }
  /** Discord has nothing, because the member removed it there. `since` is when Janus found that. */
  | { readonly state: "disconnected"; readonly since: Date }
  /** Discord has ended the grant, or does not take its tokens: it cannot be told anything. */
  | { readonly state: "discord_ended"; readonly since: Date }
  /** The member has removed Janus at Discord. */
  | { readonly state: "deauthorized"; readonly since: Date };

type Row = Pick<
  SessionWithLink,
  | "goneAt"
  | "organisationEndedAt"
  | "organisationEndCause"
  | "organisationExpiresAt"
  | "hasOrganisationRefreshToken"
  | "disconnectedAt"
  | "discordEndedAt"
  | "isDeauthorized"
  | "tokenRefusedAt"
  | "lossFoundAt"
  | "isLossHeld"
  | "checkDueAt"
  | "checkFailures"
  | "checkFailedCode"
>;

type Needs = GraceNeeds & { readonly now: () => Date };

/** Failures that lie in what is stored of one member, so that a sign-in may mend them. All others pass by themselves. */
const MENDED_BY_SIGN_IN: readonly string[] = [
  "access_token_refused",
  "id_token_refused",
  "refresh_refused",
  "token_unreadable",
  "userinfo_refused",
];

/** A token that expires within this time after a check is due may not live long enough for it. */
const CHECK_SECONDS = 60;

/** The state of a link. */
export function readSyncState(deps: Needs, link: Row): SyncState {
  const { goneAt, organisationEndedAt, disconnectedAt, lossFoundAt } = link;
  const graceEnd = graceEndOf(deps, link);
  const heldSince = link.isLossHeld ? lossFoundAt : null;
  if (goneAt !== null && heldSince === null) return { state: "gone", since: goneAt };
  if (organisationEndedAt !== null && graceEnd !== null && graceEnd <= deps.now())
    return { state: "ended", since: organisationEndedAt };
  const discordEndedAt = link.discordEndedAt ?? link.tokenRefusedAt;
  if (discordEndedAt !== null)
    return { state: link.isDeauthorized ? "deauthorized" : "discord_ended", since: discordEndedAt };
  if (disconnectedAt !== null) return { state: "disconnected", since: disconnectedAt };
  if (organisationEndedAt !== null && graceEnd !== null)
    return { state: "grace", since: organisationEndedAt, until: graceEnd };
  if (heldSince !== null) return { state: "held", since: heldSince };
  return readCheckState(link);
}

/** Whether the claims are read again, where nothing else needs to be told. */
function readCheckState(link: Row): SyncState {
  if (link.organisationEndedAt !== null) return { state: "not_readable", why: "unanswered" };
  if (!link.hasOrganisationRefreshToken && !livesUntilCheck(link))
    return { state: "not_readable", why: "no_refresh_token" };
  if ((link.checkFailures ?? 0) === 0) return { state: "checked" };
  const remedy = MENDED_BY_SIGN_IN.includes(link.checkFailedCode ?? "") ? "sign_in" : "wait";
  return { state: "check_failing", remedy };
}

/** Without a refresh token, the access token reads the claims as long as it lives. */
function livesUntilCheck({ organisationExpiresAt, checkDueAt }: Row): boolean {
  if (organisationExpiresAt === null || checkDueAt === null) return false;
  return organisationExpiresAt > secondsAfter(checkDueAt, CHECK_SECONDS);
}

/** When the claims are read next: now, if that is overdue, and null if nothing can read them. */
export function readNextCheck({ now }: Needs, link: Row): Date | null {
  const { checkDueAt } = link;
  const isReadable =
    link.organisationEndedAt === null && (link.hasOrganisationRefreshToken || livesUntilCheck(link));
  if (checkDueAt === null || !isReadable) return null;
  const at = now();
  const isOverdue = checkDueAt <= at;
  return isOverdue ? at : checkDueAt;
}
