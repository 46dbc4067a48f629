/**
 * The revocation endpoint, once for both legs: what a server's answer says of the grant that was to end. RFC 7009
 */
import * as v from "valibot";
import type { TokenEndpoint } from "./token_endpoint.ts";
import { isOfCredentials, nameOf, postForm, readError, saysNotNow } from "./token_endpoint.ts";
import type { Answer, Upstream } from "./upstream.ts";
import { parseJson, unavailable } from "./upstream.ts";

/**
 * What the server said for good: the grant has ended; it does not revoke such tokens; or it understood, and will refuse
 * the same request again.
 */
export type Revocation = "revoked" | "unsupported" | "refused";

/** The token is not valid, so there is nothing left to revoke. */
const ENDED_ERRORS = ["invalid_grant", "invalid_token"];
/** What else RFC 6749 5.2 and RFC 7009 2.2.1 list. A word of anybody's own may be that of a proxy. */
const REFUSALS = ["invalid_request", "unsupported_grant_type", "invalid_scope"];
const UNSUPPORTED = "unsupported_token_type";

/**
 * Asks once for the end of a token. Throws the upstream's client_rejected, and its unavailable for all that is not the
 * server's own and final word: a 5xx, a 429, a page, an error without a listed name. `isRevoked` tells the server's
 * answer of success from others.
 */
export async function revokeToken(
  upstream: Upstream,
  client: Omit<TokenEndpoint, "url">,
  url: string,
  token: { readonly token: string; readonly token_type_hint?: "access_token" | "refresh_token" },
  isRevoked: (answer: Answer) => boolean = isSuccess,
): Promise<Revocation> {
  const answer = await postForm(upstream, "revoke", client, url, token);
  if (isRevoked(answer)) return "revoked";
  const error = readError(answer);
  if (error === undefined || saysNotNow(answer.status, error))
    throw unavailable(upstream, `revoke: answered ${answer.status}`, answer);
  // They are about Janus as a client and say nothing of the grant, and an operator can mend them.
  if (isOfCredentials(answer.status, error))
    throw upstream.clientRejected(`revoke: answered ${answer.status} ${nameOf(error, client, token)}`);
  if (ENDED_ERRORS.includes(error)) return "revoked";
  if (error === UNSUPPORTED) return "unsupported";
  if (REFUSALS.includes(error)) return "refused";
  throw unavailable(upstream, `revoke: answered ${answer.status}`, answer);
}

const SUCCESSES = [200, 202, 204];

const anyError = v.object({ error: v.union([v.string(), v.looseObject({})]) });

/**
 * RFC 7009 2.2 lets a client ignore the body. But a server that answers with a page, such as the login page of a network, or
 * with an error has revoked nothing.
 */
function isSuccess({ status, headers, text }: Answer): boolean {
  if (!SUCCESSES.includes(status)) return false;
  const isTyped = /^\s*text\/html\b/i.test(headers.get("content-type") ?? "");
  const isPage = /^\s*</.test(text) || (isTyped && text.trim() !== "");
  return !isPage && !v.is(anyError, parseJson(text));
}
