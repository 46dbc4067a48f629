/**
 * The lease under which one process at a time refreshes tokens, for the tokens of links and of sessions alike. A refresh
 * token is single use, so the steps are always these:
 *
 *   claim    the statement claims the row until `leaseFrom` says; where the table has a mark, it also marks the refresh as
 *            unanswered, since this process may die before it stores the answer
 *   send     Discord takes the refresh token and gives a new pair
 *   store    the new pair is stored before anybody uses it; that frees the lease and takes the mark away
 *   free     after a failure: what was sent and not answered keeps its mark
 *
 * A process that dies in between leaves a lease that runs out. The ends of grants hold leases of the same length.
 */
import type { WorkDeps } from "../deps.ts";
import type { DiscordTokens } from "../discord/client.ts";
import { asJanusError } from "../errors.ts";
import type { LogStep } from "../telemetry/events.ts";
import { describeError } from "../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS, secondsAfter } from "../time.ts";

/** How long a claim lasts: longer than the calls made under it, with their repeats, plus the tolerance of clocks. */
export const LEASE_SECONDS = 90 + CLOCK_TOLERANCE_SECONDS;

const STORE_ATTEMPTS = 5;
const STORE_RETRY_MS = 1_000;

/** What a claim made now says. */
export const leaseFrom = (now: Date) => ({ leasedUntil: secondsAfter(now, LEASE_SECONDS), now });

/**
 * Whether a claim found the mark of an earlier refresh that got no answer. That refresh may have spent the token. A mark
 * that this claim has set itself has the claim's time.
 */
export const isFromEarlier = (refreshUnansweredSince: Date | null, claimedAt: Date): boolean =>
  refreshUnansweredSince !== null && refreshUnansweredSince.getTime() !== claimedAt.getTime();

type Needs = Pick<WorkDeps, "now" | "sleep" | "log" | "unstored"> & {
  readonly discord: Pick<WorkDeps["discord"], "refreshTokens">;
};

type SealedPair = { readonly accessTokenSealed: string; readonly refreshTokenSealed: string };

/** A new pair, as it was given and as it is stored. */
export type RefreshedPair = DiscordTokens & SealedPair;

/** A row whose refresh this process has claimed. */
type RefreshLease = {
  /** What the log calls the work. */
  readonly step: LogStep;
  /** The refresh token. May throw, which counts as a failure of the refresh. */
  readonly open: () => string;
  readonly seal: (tokens: DiscordTokens) => SealedPair;
  /** Stores the pair, if the row still has the one that was claimed, and frees the lease. */
  readonly store: (pair: RefreshedPair, now: Date) => Promise<unknown>;
  /** Frees the lease after this failure. */
  readonly free: (failure: unknown) => Promise<void>;
};

/**
 * Spends the refresh token, stores the new pair, and only then hands it out. Throws what `open` and Discord throw, and
 * database_unavailable if the pair is not stored. In that case the lease stays: the token is spent.
 */
export async function spendRefreshToken(
  needs: Needs,
  { step, open, seal, store, free }: RefreshLease,
): Promise<RefreshedPair> {
  let tokens: DiscordTokens;
  try {
    tokens = await needs.discord.refreshTokens(open());
  } catch (error) {
    await tryTo(needs, step, () => free(error));
    throw error;
  }
  const pair = { ...tokens, ...seal(tokens) };
  const now = needs.now();
  await storeWithRetry(needs, step, () => store(pair, now));
  return pair;
}

/** Does early what the end of the lease would do by itself. A failure is logged, and changes nothing. */
export async function tryTo(
  { log }: Pick<WorkDeps, "log">,
  step: LogStep,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn("lease_not_freed", { step, ...describeError(error) });
  }
}

/**
 * Stores a new pair, which only this process has, since the old one is spent. It tries again for a few seconds. If the
 * database is down for longer, `unstored` keeps the pair until it is back.
 */
async function storeWithRetry(
  { sleep, unstored }: Pick<WorkDeps, "sleep" | "unstored">,
  step: LogStep,
  store: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store();
      return;
    } catch (error) {
      if (asJanusError(error).code !== "database_unavailable") throw error;
      if (attempt === STORE_ATTEMPTS) {
        void unstored.store(step, store);
        throw error;
      }
      await sleep(STORE_RETRY_MS * attempt);
    }
  }
}
