/**
 * Waits that Discord has asked for, each for one operation of one member: a call that comes earlier is answered with 429
 * again, and Discord counts that against the address. A process knows what it has heard itself. A push or a refresh that is
 * put off is stored, so other processes leave that member alone, too.
 */
import { sha256Hex } from "../crypto.ts";
import { asJanusError, discordRateLimited } from "../errors.ts";
import type { Caller } from "./retries.ts";

/** When waits are over, in milliseconds since 1970. By operation and token, the oldest first. */
export type MemberWaits = Map<string, number>;

type Call = Parameters<Caller>[0];

/** An hour is the longest wait, so this is far more than ever wait. */
const MOST_WAITS = 10_000;

/** The same caller. It sends nothing while the wait lasts that an earlier call was asked for. */
export function respectWaits(caller: Caller, waits: MemberWaits, now: () => Date): Caller {
  return async (call) => {
    const left = waits.size === 0 ? 0 : leftSeconds(call, waits, now());
    if (left > 0) {
      const reason = `${call.operation}: not sent: Discord asked for a wait that is not over`;
      throw discordRateLimited(reason, left, "member");
    }
    try {
      return await caller(call);
    } catch (error) {
      keepWait(call, waits, now(), error);
      throw error;
    }
  };
}

function leftSeconds(call: Call, waits: MemberWaits, now: Date): number {
  const key = keyOf(call);
  const left = Math.ceil(((waits.get(key) ?? 0) - now.getTime()) / 1_000);
  if (left <= 0) waits.delete(key);
  return left;
}

function keepWait(call: Call, waits: MemberWaits, now: Date, error: unknown): void {
  const { code, limit, retryAfterSeconds = 0 } = asJanusError(error);
  // A limit of all calls, or of the address, has its own stop. docs/decisions/0044
  if (code !== "discord_rate_limited" || limit === "global" || limit === "address") return;
  waits.set(keyOf(call), now.getTime() + retryAfterSeconds * 1_000);
  const [oldest] = waits.keys();
  if (waits.size > MOST_WAITS && oldest !== undefined) waits.delete(oldest);
}

/** The token itself stays out of memory that lives for long. */
const keyOf = ({ operation, authorization }: Call): string => sha256Hex(`${operation} ${authorization}`);
