/**
 * A refresh, the same at Discord and at the provider. The server may spend the token as soon as it has the request, and
 * the answer is then the only copy of the new tokens. So a refresh is sent once, is not begun where it could be cut
 * off, and waits longer where nobody waits for it. RFC 6749 6
 */
import { asJanusError, grantEnded } from "../errors.ts";
import { requireWholeDeadline } from "./budget.ts";
import type { TokenEndpoint, TokenResponse } from "./token_endpoint.ts";
import { requestTokens } from "./token_endpoint.ts";
import type { Upstream } from "./upstream.ts";

/** The name of a refresh, in the log and in reasons. */
export const REFRESH = "token_refresh";

/** A refresh may take this many deadlines where nobody waits for it: half a minute, well within its lease. */
const PATIENCE = 6;

/**
 * Spends a refresh token. Throws grant_ended for invalid_grant alone, and else what `requestTokens` throws; where time
 * is short the upstream's unavailable, and nothing was sent.
 */
export async function refreshGrant(
  upstream: Upstream,
  endpoint: TokenEndpoint,
  refreshToken: string,
  endedReason: string,
): Promise<TokenResponse> {
  requireWholeDeadline(upstream, REFRESH);
  const grant = { grant_type: "refresh_token", refresh_token: refreshToken };
  try {
    return await requestTokens(patient(upstream), REFRESH, endpoint, grant);
  } catch (error) {
    if (asJanusError(error).code === "code_rejected") throw grantEnded(endedReason, error);
    throw error;
  }
}

/** Where nobody waits, a late answer is better than a refresh token that was spent for nothing. */
const patient = (upstream: Upstream): Upstream =>
  upstream.budget === undefined ? { ...upstream, deadlineMs: upstream.deadlineMs * PATIENCE } : upstream;
