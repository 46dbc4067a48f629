/**
 * What a member may do with their own link: see it, have it pushed now, undo it, and take a copy of all that is stored.
 * Called by the handlers with a session that was proved. It makes no link, and knows no other member.
 */
import type { Deps } from "../deps.ts";
import { forRequest } from "../deps.ts";
import { notLinked, syncTooSoon } from "../errors.ts";
import { logStep, runStep } from "../flow/record.ts";
import { LEASE_SECONDS } from "../grants/discord_grant.ts";
import { tryEndGrant } from "../grants/end_discord_grant.ts";
import { tryEndProviderGrant } from "../grants/provider_grant.ts";
import { keepClaims } from "../rules/role_connection.ts";
import type { Session } from "../session/guard.ts";
import { listSessions } from "../session/guard.ts";
import { PUSH_LEASE_SECONDS, pushLink } from "../sync/push.ts";
import { readName } from "../text/shown_name.ts";
import { secondsAfter } from "../time.ts";

/** A member's link as they see it. */
export type LinkFacts = {
  readonly organisationName: string | null;
  readonly linkedAt: Date;
  /** What Discord last took; null before the first push. */
  readonly pushedMetadata: Readonly<Record<string, string>> | null;
  readonly pushedAt: Date | null;
  /** When Janus tells Discord next by itself; null when nothing is due. */
  readonly nextPushAt: Date | null;
  readonly pushFailures: number;
};

/** Why the role is or is not given, as far as Janus can know: Discord gives it when the member presses Link there. */
export type RoleStatus = "not_linked" | "discord_not_told" | "discord_told";

const SYNC_EVERY_SECONDS = 60;

/** The member's link, as the session's row has it; null where there is none. */
export function describeLink(session: Session): LinkFacts | null {
  if (session.linkedAt === null) return null;
  const { organisationName, linkedAt, pushedMetadata, pushedAt, pushDueAt, pushFailures } = session;
  return {
    // Cleaned again: an earlier release may have stored it.
    organisationName: readName(organisationName) ?? null,
    linkedAt,
    pushedMetadata: pushedMetadata === null ? null : onlyTexts(pushedMetadata),
    pushedAt,
    nextPushAt: pushDueAt,
    pushFailures: pushFailures ?? 0,
  };
}

/** What a link says of the role. */
export function describeRole(link: LinkFacts | null): RoleStatus {
  if (link === null) return "not_linked";
  return link.pushedAt === null || link.pushFailures > 0 ? "discord_not_told" : "discord_told";
}

/**
 * Pushes the member's link now, at most once a minute for each member. Throws not_linked, sync_too_soon, and what keeps
 * Discord from taking it: the push is due again then.
 */
export async function syncNow(
  deps: Deps,
  { discordUserId }: Pick<Session, "discordUserId">,
  requestId: string,
): Promise<void> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const askedBefore = secondsAfter(now, -SYNC_EVERY_SECONDS);
  const row = await deps.queries.claimSync({ discordUserId, askedBefore, leasedUntil, now });
  if (row === undefined) throw notLinked();
  const { claims, accessTokenSealed, discordExpiresAt, pushFailures } = row;
  if (claims === null || accessTokenSealed === null || discordExpiresAt === null) {
    const next = secondsAfter(row.syncAskedAt ?? now, SYNC_EVERY_SECONDS);
    throw syncTooSoon(Math.max(1, Math.ceil((next.getTime() - now.getTime()) / 1_000)));
  }
  const failure = await pushLink(forRequest(deps, requestId), {
    discordUserId,
    accessTokenSealed,
    discordExpiresAt,
    leasedUntil,
    requestId,
    claims: keepClaims(claims),
    pushFailures: pushFailures ?? 0,
  });
  if (failure !== undefined) throw failure;
}

/** The link is gone; whether Discord has been told, and whether all that follows is done. */
export type Unlinked = {
  readonly outcome: "unlinked";
  readonly discordTold: boolean;
  /** Whether Discord refused to clear the role connection, so that the member may keep the role. */
  readonly roleMayStay: boolean;
  readonly finished: boolean;
};

/**
 * Undoes the member's link. Link, claims and sessions are gone when this returns; the grants at Discord and at the
 * provider are ended now, or as soon as each takes it. `discordTold` says whether Discord has, `finished` whether both
 * have. Throws not_linked.
 */
export function unlink(
  deps: Deps,
  { discordUserId }: Pick<Session, "discordUserId">,
  requestId: string,
): Promise<Unlinked> {
  return runStep(deps, requestId, "unlink", (bound) => removeLink(bound, discordUserId, requestId));
}

async function removeLink(deps: Deps, discordUserId: string, requestId: string): Promise<Unlinked> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, LEASE_SECONDS);
  const pushedBy = secondsAfter(now, PUSH_LEASE_SECONDS);
  const removed = await deps.queries.deleteLink({ discordUserId, requestId, now, leasedUntil, pushedBy });
  if (removed === undefined) throw notLinked();
  logStep(deps, requestId, "unlink", "removed", discordUserId);
  const { issuer, subject, organisationAccessTokenSealed, organisationRefreshTokenSealed } = removed;
  const providerTokens = {
    accessTokenSealed: organisationAccessTokenSealed ?? "",
    refreshTokenSealed: organisationRefreshTokenSealed,
    replacedTokens: removed.replacedTokens ?? [],
    endFailures: 0,
  };
  const [end, providerTold] = await Promise.all([
    // In use: it is due to end as soon as it is not, which upkeep sees to.
    removed.isInUse ? "put_off" : tryEndGrant(deps, { ...removed, discordUserId, endFailures: 0 }),
    organisationAccessTokenSealed === null ||
      tryEndProviderGrant(deps, { issuer, subject, ...providerTokens }),
  ]);
  const discordTold = end !== "put_off";
  const roleMayStay = end === "role_may_stay";
  return { outcome: "unlinked", discordTold, roleMayStay, finished: discordTold && providerTold };
}

/** Everything that is stored of the member. Secrets are told as there or not there; their values are nowhere in it. */
export async function exportStored(deps: Deps, session: Session, requestId: string) {
  const { discordUserId } = session;
  const [stored, flows, sessions, trail] = await Promise.all([
    deps.queries.findStored({ discordUserId }),
    deps.queries.listFlows({ discordUserId }),
    listSessions(deps, session),
    deps.queries.listAuditEvents({ discordUserId }),
  ]);
  const values = { action: "data_exported", discordUserId, requestId, now: deps.now() } as const;
  await deps.queries.insertAuditEvent(values);
  return { stored, flows, sessions, trail };
}

function onlyTexts(
  values: Readonly<Record<string, string | readonly string[]>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
