/**
 * A logout at the provider. The member's login sessions at Janus that began before it end, and their claims are due now. A logout is not a
 * dismissal: the link stays, and so does what Discord has. What is stored before the answer is one statement.
 * docs/doorbells.md, docs/decisions/0048; OpenID Connect Back-Channel Logout 1.0
 */

import { sha256Hex } from "../crypto.ts";
import type { WorkDeps } from "../deps.ts";
import { CLOCK_SKEW_SECONDS } from "../oidc/keys.ts";
import { MAX_LOGOUT_AGE_SECONDS } from "../oidc/logout_token.ts";
import { CLOCK_TOLERANCE_SECONDS, secondsAfter } from "../time.ts";
import { receiveEvent } from "./doorbell.ts";

type Needs = Pick<
  WorkDeps,
  "config" | "oidc" | "queries" | "now" | "log" | "alarm" | "eventCounts" | "requestId"
>;

/** What a logout came to. */
export type LogoutAnswer = { readonly fault: string } | { readonly fault: undefined };

/**
 * A token that comes late does not end a session that began after the logout. The provider's clock may be that far behind,
 * as with every token of it, and its times may leave out parts of a second. A session that began in that time ends too: to
 * sign in once more costs less than a session that outlives its logout.
 */
const BEGAN_TOLERANCE_SECONDS = CLOCK_SKEW_SECONDS + 1;
/** A token is accepted for so long at most, by whatever clock. */
const REMEMBERED_SECONDS = 2 * MAX_LOGOUT_AGE_SECONDS + CLOCK_TOLERANCE_SECONDS;

/**
 * Takes a logout token; undefined if the request has none. Throws provider_unavailable if the keys cannot be fetched, and
 * database_unavailable: then nothing has changed, and the provider may repeat it.
 */
export async function receiveProviderLogout(
  deps: Needs,
  logoutToken: string | undefined,
): Promise<LogoutAnswer> {
  if (logoutToken === undefined) return refuse(deps, "the body must be a form with one logout_token");
  const verified = await deps.oidc.verifyLogoutToken(logoutToken);
  if ("fault" in verified) return refuse(deps, verified.fault);
  const now = deps.now();
  const rows = await deps.queries.receiveLogout({
    eventId: sha256Hex(verified.tokenId),
    expiresAt: secondsAfter(now, REMEMBERED_SECONDS),
    issuer: deps.config.oidc.issuer,
    subject: verified.subject ?? null,
    providerSessionId: verified.sessionId ?? null,
    beganUntil: secondsAfter(verified.issuedAt, BEGAN_TOLERANCE_SECONDS),
    requestId: deps.requestId,
    now,
  });
  const discordUserIds = rows.flatMap(({ discordUserId }) => discordUserId ?? []);
  const isRepeated = rows.some((row) => row.isRepeated);
  const outcome = isRepeated ? "repeated" : discordUserIds.length === 0 ? "ignored" : "rechecked";
  receiveEvent(deps, "logout", outcome, discordUserIds);
  return { fault: undefined };
}

function refuse(deps: Needs, fault: string): LogoutAnswer {
  receiveEvent(deps, "logout", "refused", undefined, fault);
  return { fault };
}
