/**
 * When Janus sends a refresh token again after a failure. Nobody sends a token within an hour of a refusal: three refusals
 * end a grant, and an outage of minutes must not do that. If the server asks for a wait, all work that nobody waits for obeys
 * it. The rule itself is in the database: `refresh_put_off_until`. docs/decisions/0045
 */
import type { JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { secondsAfter } from "../time.ts";
import { isRefused } from "./refresh_failure.ts";

/** How long a token waits that the server has refused. */
const REFUSED_SECONDS = 3_600;

type AtServer = { readonly upstream: Pick<Upstream, "waitsForTurn" | "unavailable"> };

/** Whether a member waits for the work that a client is for. */
export const isAwaited = ({ upstream }: AtServer): boolean => upstream.waitsForTurn !== true;

/**
 * Throws the server's unavailable if the token is not to be sent yet. Nothing was sent then, so it says nothing of the server,
 * and is a wait of this member's alone.
 */
export function requireRefreshTime({ upstream }: AtServer, putOffUntil: Date | null, now: Date): void {
  if (putOffUntil === null) return;
  const left = Math.ceil((putOffUntil.getTime() - now.getTime()) / 1_000);
  throw upstream.unavailable(
    "token_refresh: not sent: the last one failed, and it is too early for another",
    {
      isUntaken: true,
      limit: "member",
      retryAfterSeconds: Math.max(1, left),
    },
  );
}

/** Whether a failure of work at one server is such a wait. */
export const isPutOff = (failure: JanusError | undefined): boolean => failure?.limit === "member";

/** Until when a refresh that failed waits by the server's own word; null if that says nothing of it. */
export function refreshWaitEnd(now: Date, error: unknown): Date | null {
  const { retryAfterSeconds = 0, isWaitAsked } = asJanusError(error);
  if (isRefused(error)) return secondsAfter(now, REFUSED_SECONDS);
  return isWaitAsked ? secondsAfter(now, retryAfterSeconds) : null;
}
