/**
 * A role connection that an earlier grant left: the end of that grant failed too often, or lost its tokens, and the member
 * has signed in since. Janus tries to clear it with the new tokens until Discord does so or a new link replaces it. It
 * revokes nothing. The end of grants is in `end_discord_grant.ts`.
 */
import { asJanusError } from "../errors.ts";
import { describeError } from "../telemetry/log.ts";
import type { GrantDeps, HeldGrant } from "./discord_grant.ts";
import { freshAccessToken } from "./discord_grant.ts";
import { tellNotCleared } from "./end_discord_grant.ts";
import { endRetryAt } from "./end_retry.ts";
import { leaseFrom, tryTo } from "./refresh_lease.ts";
import type { Round } from "./round.ts";
import { ROUND_LIMIT, roundOf } from "./round.ts";

/** Clears it at once, with the tokens of the sign-in that replaced the end. If this fails, upkeep tries again. */
export async function clearSuperseded(
  deps: GrantDeps,
  discordUserId: string,
  clearDueAt: Date,
  accessToken: string,
): Promise<void> {
  deps.log.warn("grant_end_superseded", { discordUserId });
  // Should the database fail here, upkeep clears once more, which does no harm: the member goes on.
  await tryTo(deps, "clear", async () => {
    await clear(deps, discordUserId, clearDueAt, () => Promise.resolve(accessToken));
  });
}

type DueClear = HeldGrant & {
  /** How often clearing it has failed. */
  readonly clearFailures: number;
};

/** One round: claims the role connections that are to be cleared, and clears each. */
export async function clearDueRoleConnections(deps: GrantDeps): Promise<Round> {
  const lease = leaseFrom(deps.now());
  const due = await deps.queries.claimClearDue({ limit: ROUND_LIMIT, ...lease });
  const cleared = await Promise.all(due.map((grant) => clearOrPutOff(deps, grant, lease.leasedUntil)));
  const countOf = (result: Result): number => cleared.filter((one) => one === result).length;
  return roundOf(due.length, countOf("done"), ROUND_LIMIT, countOf("limited"));
}

/** Whether it was cleared or given up, put off, or put off because of a rate limit of this member's alone. */
type Result = "done" | "put_off" | "limited";

async function clearOrPutOff(deps: GrantDeps, grant: DueClear, leasedUntil: Date): Promise<Result> {
  const { discordUserId } = grant;
  let result: Result = "put_off";
  // Should the database fail here, the lease ends by itself.
  await tryTo(deps, "clear", async () => {
    const failure = await clear(deps, discordUserId, leasedUntil, () => freshAccessToken(deps, grant));
    result = failure === undefined ? "done" : "put_off";
    if (failure === undefined) return;
    if (asJanusError(failure).limit === "member") result = "limited";
    const clearDueAt = endRetryAt(deps.now(), grant.clearFailures, failure);
    await deps.queries.setClearDue({ discordUserId, leasedUntil, clearDueAt });
  });
  return result;
}

/** Clears it, and records that. Returns the failure if it has to be tried again. `clearDueAt` is as it was claimed. */
async function clear(
  deps: GrantDeps,
  discordUserId: string,
  clearDueAt: Date,
  findAccessToken: () => Promise<string>,
): Promise<unknown> {
  let isRoleConnectionLeft = false;
  try {
    await deps.discord.deleteRoleConnection(await findAccessToken());
  } catch (error) {
    const { code } = asJanusError(error);
    if (code !== "discord_refused" && code !== "token_unreadable") {
      deps.log.warn("role_connection_not_cleared_yet", { discordUserId, ...describeError(error) });
      return error;
    }
    isRoleConnectionLeft = true;
    tellNotCleared(deps, discordUserId, error);
  }
  await deps.queries.setCleared({ discordUserId, clearDueAt, isRoleConnectionLeft, now: deps.now() });
  return undefined;
}
