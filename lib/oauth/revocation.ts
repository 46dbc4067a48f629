/**
 * The revocation endpoint, the same for both legs: what a server's answer says of the grant that is to end. RFC 7009
 */
import * as v from "valibot";
import { isOfCredentials, readError, saysNotNow } from "./error_words.ts";
import { unavailable } from "./outage.ts";
import type { TokenEndpoint } from "./token_endpoint.ts";
import { nameOf, postForm } from "./token_endpoint.ts";
import type { Answer, Upstream } from "./upstream.ts";
import { parseJson } from "./upstream.ts";

/**
 * A server's final answer: the grant has ended; the server does not revoke such tokens; or it understood the request
 * and will refuse it again.
 */
export type Revocation = "revoked" | "unsupported" | "refused";

/** The token is not valid, so nothing is left to revoke. */
const ENDED_ERRORS = ["invalid_grant", "invalid_token"];
/** The other errors of RFC 6749 5.2 and RFC 7009 2.2.1. An unlisted one may come from a proxy. */
const REFUSALS = ["invalid_request", "unsupported_grant_type", "invalid_scope"];
const UNSUPPORTED = "unsupported_token_type";

/**
 * Asks once for the end of a token. Throws the upstream's client_rejected, and its unavailable where the answer is not
 * the server's own and final one: a 5xx, a 429, a page, an unlisted error. `isRevoked` recognises the server's success.
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
  // These errors are about Janus as a client, not about the grant, and an operator can correct them.
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
 * RFC 7009 2.2 lets a client ignore the body. But whatever answers with an error or with a page, such as a network's
 * login page, has revoked nothing.
 */
function isSuccess({ status, headers, text }: Answer): boolean {
  if (!SUCCESSES.includes(status)) return false;
  const isTyped = /^\s*text\/html\b/i.test(headers.get("content-type") ?? "");
  const isPage = /^\s*</.test(text) || (isTyped && text.trim() !== "");
  return !isPage && !v.is(anyError, parseJson(text));
}
