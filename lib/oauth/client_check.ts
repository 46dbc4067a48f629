/**
 * Asks a token endpoint whether it knows this client: Janus shows it a code that nobody was given. A server looks at the
 * client first (RFC 6749 3.2.1), so `invalid_grant` means that it accepts the client, and no token is made. decision 0034
 */

import { CREDENTIAL_ERRORS, readError, saysNotNow } from "./error_words.ts";
import { unavailable } from "./outage.ts";
import type { TokenEndpoint } from "./token_endpoint.ts";
import { postForm, tokenError } from "./token_endpoint.ts";
import type { Upstream } from "./upstream.ts";

/** What a server says of a client that it does not refuse; `untold` if it answers something else for a wrong code. */
export type ClientCheck = "accepted" | "untold";

const OPERATION = "client_check";
/** Words, so that an operator who meets the code in the server's log knows what asked. No server gives such a code. */
const UNKNOWN_CODE = "janus-asks-whether-its-client-is-known";
/** Of 43 characters, as RFC 7636 4.1 wants it. */
const UNKNOWN_VERIFIER = "janus-asks-whether-its-client-is-known-here";

/**
 * Asks once. Throws the upstream's client_rejected, with the remedy, if the server refuses the client; its unavailable if
 * the answer is not definite.
 */
export async function checkClient(
  upstream: Upstream,
  endpoint: TokenEndpoint,
  redirectUri: string,
  remedy: string,
): Promise<ClientCheck> {
  const grant = {
    grant_type: "authorization_code",
    code: UNKNOWN_CODE,
    redirect_uri: redirectUri,
    code_verifier: UNKNOWN_VERIFIER,
  };
  const answer = await postForm(upstream, OPERATION, endpoint, endpoint.url, grant);
  const error = readError(answer);
  if (error === undefined || saysNotNow(answer.status, error))
    throw unavailable(upstream, `${OPERATION}: answered ${answer.status}`, answer);
  if (error === "invalid_grant") return "accepted";
  if (!isRefusal(answer.status, error)) return "untold";
  const { message } = tokenError(upstream, OPERATION, endpoint, grant, answer);
  throw upstream.clientRejected(`${message}; ${remedy}`);
}

/**
 * Stricter than for a right code, where a 401 speaks of the client whatever its word: a server may have a 401 of its own for
 * a code that it does not know. Auth0 answers a wrong secret with access_denied.
 */
function isRefusal(status: number, error: string): boolean {
  return CREDENTIAL_ERRORS.includes(error) || (status === 401 && error === "access_denied");
}
