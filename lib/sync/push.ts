/**
 * Keeping Discord's view of a link true. This room owns when a role connection is pushed: when it is due (this file), and
 * when a member asks (`sync_now.ts`). A push evaluates the rules with the claims that are stored. If they no longer admit
 * the member, it clears the role connection, and the link stays. A push that fails changes nothing but when the next one is
 * due.
 *
 * `rules/` decides what is pushed, `discord/` sends it, `grants/` provides the access token, and `link/` owns the link.
 */
import { setImmediate } from "node:timers/promises";
import type { WorkDeps } from "../deps.ts";
import type { ErrorCode, JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import type { GrantDeps, HeldGrant } from "../grants/discord_grant.ts";
import { freshAccessToken } from "../grants/discord_grant.ts";
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT, roundOf } from "../grants/round.ts";
import { buildRoleConnection, NOTHING_KNOWN } from "../rules/role_connection.ts";
import { describeError } from "../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS, secondsAfter } from "../time.ts";
import type { LinkedMember, PushedBefore, RuleDeps } from "./member_rules.ts";
import { evaluateLink, pushedOf, readAdmission } from "./member_rules.ts";

/** What this room works with. */
export type Needs = GrantDeps & RuleDeps & Pick<WorkDeps, "config" | "requestId">;

/** When another process may push, should the one that pushes die: longer than a push with its repeats, by whatever clock. */
export const PUSH_LEASE_SECONDS = 120 + CLOCK_TOLERANCE_SECONDS;

const RETRY_BASE_SECONDS = 60;
const RETRY_MAX_SECONDS = 6 * 3_600;

/** Failures of a single link; any other failure may concern all links. */
const REFUSALS: readonly ErrorCode[] = ["grant_ended", "discord_refused", "token_unreadable"];

/** A link whose role connection is to be pushed. */
export type DuePush = HeldGrant &
  LinkedMember &
  PushedBefore & {
    /** Pushes that failed since the last that did not. */
    readonly pushFailures: number;
    /** Until when no other process pushes it. */
    readonly leasedUntil: Date;
  };

/** What Discord has been told of a member: values, or that nothing is known, or nothing because they are not admitted. */
export type Told = "values" | "nothing_known" | "cleared";

/** The result of a push. If it failed, Discord has not been told yet. */
export type Push = { readonly failure: JanusError | undefined; readonly told: Told };

/**
 * Pushes a link's role connection, or clears it, and returns once the result is recorded: Discord took it, or the push is
 * due again. The member's next request may reach another process, so nobody is told before.
 */
export async function pushLink(deps: Needs, link: DuePush): Promise<Push> {
  const verdict = evaluateLink(deps, link);
  const admission = readAdmission(verdict.admitted);
  if (admission === "refused") return clear(deps, link);
  if (admission === "unknown" && link.clearedAt !== null) {
    await record(deps, link, deps.queries.setStillCleared);
    return { failure: undefined, told: "cleared" };
  }
  const roleConnection = buildRoleConnection(deps.config.platformName, verdict, pushedOf(link));
  const { metadata: pushedMetadata, platform_username: pushedPlatformUsername = null } = roleConnection;
  const told = Object.hasOwn(pushedMetadata, NOTHING_KNOWN.key) ? "nothing_known" : "values";
  return tell(
    deps,
    link,
    told,
    (accessToken) => deps.discord.putRoleConnection(accessToken, roleConnection),
    (values) => deps.queries.setPushed({ ...values, pushedMetadata, pushedPlatformUsername }),
  );
}

/**
 * Ends what Discord knows of a member whom the rules no longer admit. It does so once more if that was recorded before: a
 * push that ran beside the first one may have reached Discord after it.
 */
function clear(deps: Needs, link: DuePush): Promise<Push> {
  const { setLinkCleared, setStillCleared } = deps.queries;
  const store = link.clearedAt === null ? setLinkCleared : setStillCleared;
  return tell(deps, link, "cleared", deps.discord.deleteRoleConnection, store);
}

/** Tells Discord, and records that or the failure. */
async function tell(
  deps: Needs,
  link: DuePush,
  told: Told,
  send: (accessToken: string) => Promise<void>,
  store: (values: PushRecord) => Promise<void>,
): Promise<Push> {
  try {
    await send(await freshAccessToken(deps, link));
  } catch (error) {
    await recordFailure(deps, link, error);
    return { failure: asJanusError(error), told };
  }
  await record(deps, link, store);
  return { failure: undefined, told };
}

/** One round: claims links whose push is due and pushes each. */
export async function pushDueLinks(deps: Needs): Promise<Round> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const due = await deps.queries.claimPushDue({ limit: ROUND_LIMIT, leasedUntil, now });
  const pushes: Promise<Push>[] = [];
  for (const link of due) {
    pushes.push(pushLink(deps, { ...link, leasedUntil }));
    // An evaluation does not wait for anything. Between two of them, requests have their turn.
    await setImmediate();
  }
  const failures = (await Promise.all(pushes)).flatMap(({ failure }) => failure ?? []);
  return {
    ...roundOf(due.length, due.length - failures.length),
    metOutage: failures.some(({ code }) => !REFUSALS.includes(code)),
  };
}

/** Unknown is not no: the link and its tokens stay, whatever Discord said; only the next push is put off. */
async function recordFailure(deps: Needs, link: DuePush, error: unknown): Promise<void> {
  const { retryAfterSeconds } = asJanusError(error);
  deps.log.warn("role_connection_not_pushed", {
    discordUserId: link.discordUserId,
    ...describeError(error),
  });
  const backoff = Math.min(RETRY_BASE_SECONDS * 2 ** link.pushFailures, RETRY_MAX_SECONDS);
  await record(deps, link, (values) => {
    const pushDueAt = secondsAfter(values.now, Math.max(backoff, retryAfterSeconds ?? 0));
    return deps.queries.setPushDue({ ...values, pushDueAt });
  });
}

/** What the record of a push says of it, whatever its result. */
type PushRecord = Pick<DuePush, "discordUserId" | "leasedUntil"> &
  Pick<Needs, "requestId"> & { readonly now: Date };

/** Stores the result of a push, which frees its lease. Never rejects. */
async function record(
  deps: Needs,
  { discordUserId, leasedUntil }: DuePush,
  store: (values: PushRecord) => Promise<void>,
): Promise<void> {
  try {
    await store({ discordUserId, leasedUntil, requestId: deps.requestId, now: deps.now() });
  } catch (error) {
    // Carrying on is right: the lease runs out by itself, and then the link is pushed again.
    deps.log.warn("push_not_recorded", { discordUserId, ...describeError(error) });
  }
}
