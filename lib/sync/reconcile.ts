/**
 * From time to time Discord is asked what it has of a link. What it has lost is told again; what the member has removed there
 * is left so.
 */
import type { WorkDeps } from "../deps.ts";
import type { GrantDeps } from "../grants/discord_grant.ts";
import type { CallingGrant } from "../grants/token_call.ts";
import { callWithToken } from "../grants/token_call.ts";
import { describeError } from "../telemetry/log.ts";
import { secondsAfter } from "../time.ts";
import { isAtDiscord } from "./decision.ts";
import type { PushedBefore } from "./member_rules.ts";

/** A link whose role connection may be read back. */
type ReconciledLink = CallingGrant &
  Pick<PushedBefore, "pushedMetadata"> & {
    readonly pushedAt: Date | null;
    readonly pushDueAt: Date | null;
    readonly reconciledAt: Date | null;
    readonly disconnectedAt: Date | null;
    readonly driftFoundAt: Date | null;
    /** Whether what was told is known by a backup alone. Discord may have been told something else since. */
    readonly isOfBackup: boolean;
  };

const DAY_SECONDS = 86_400;

/** What Discord has of a link: what it was told, something else, or nothing at all. */
export type Found = "not_asked" | "told" | "other" | "nothing";

/** Asks Discord what it has, if that was long ago or was something else, and Janus knows what it told. A failure says nothing. Never rejects. */
export async function reconcile(
  deps: GrantDeps & Pick<WorkDeps, "config">,
  link: ReconciledLink,
): Promise<Found> {
  const { pushedMetadata, pushedAt, pushDueAt, reconciledAt, disconnectedAt, driftFoundAt } = link;
  if (link.isOfBackup) return "not_asked";
  if (pushedMetadata === null || pushedAt === null || pushDueAt !== null || disconnectedAt !== null)
    return "not_asked";
  // Upkeep refreshes long before. If it could not, the grant is over, or Discord does not answer: this would fare no better.
  if (link.discordExpiresAt <= deps.now()) return "not_asked";
  const lastRead = reconciledAt !== null && reconciledAt > pushedAt ? reconciledAt : pushedAt;
  const isRecent = lastRead > secondsAfter(deps.now(), -deps.config.sync.reconcileDays * DAY_SECONDS);
  if (isRecent && driftFoundAt === null) return "not_asked";
  try {
    const { result: has } = await callWithToken(deps, link, deps.discord.findRoleConnection);
    if (has === undefined) return "not_asked";
    if (isAtDiscord(has, pushedMetadata)) return "told";
    return Object.keys(has).length === 0 ? "nothing" : "other";
  } catch (error) {
    // Carrying on is right: it is asked again at the next check.
    deps.log.warn("role_connection_not_read", { discordUserId: link.discordUserId, ...describeError(error) });
    return "not_asked";
  }
}
