/**
 * Discord's token endpoint and its revocation, RFC 6749 and RFC 7009: codes and refresh tokens are good once,
 * and revoking one token ends all that the member's authorization of the application gave out.
 */
import type { DiscordState, MatchedCall, ReadRequest } from "./discord_api.ts";
import type { LiveToken } from "./discord_grants.ts";
import type { Form } from "./oauth_rules.ts";
import { oauthError, parseForm, provesChallenge, refuseClient } from "./oauth_rules.ts";

/** Names a call to the token or revocation endpoint by its grant, and answers it. */
export function matchTokenCall(state: DiscordState, request: ReadRequest): MatchedCall {
  const form = parseForm(request.headers.get("content-type"), request.body);
  const isRevocation = request.path.endsWith("/revoke");
  const isRefresh = form?.get("grant_type") === "refresh_token";
  const secret = form?.get(isRevocation ? "token" : isRefresh ? "refresh_token" : "code");
  return {
    operation: isRevocation ? "revoke" : isRefresh ? "token_refresh" : "token_code",
    userId: secret === undefined ? undefined : state.grants.findOwner(secret),
    answer() {
      if (!form)
        return oauthError("invalid_request", "the body must be a form that names each parameter once");
      const refusal = refuseClient(request.headers.get("authorization"), form, state);
      if (refusal) return refusal;
      if (isRevocation) return revoke(state, secret);
      if (isRefresh) return refresh(state, secret);
      if (form.get("grant_type") === "authorization_code") return exchangeCode(state, form);
      return oauthError(form.has("grant_type") ? "unsupported_grant_type" : "invalid_request");
    },
  };
}

/** RFC 6749 4.1.3. A code that was shown is used up, right or wrong. */
function exchangeCode(state: DiscordState, form: Form): Response {
  const [code, redirectUri] = [form.get("code"), form.get("redirect_uri")];
  if (!code || !redirectUri) return oauthError("invalid_request", "code and redirect_uri are required");

  const issued = state.grants.takeCode(code);
  if (!issued) return oauthError("invalid_grant", 'Invalid "code" in request.');
  if (issued.redirectUri !== redirectUri)
    return oauthError("invalid_grant", 'Invalid "redirect_uri" in request.');
  if (!provesChallenge(issued.codeChallenge, form.get("code_verifier"))) {
    return oauthError("invalid_grant", 'Invalid "code_verifier" in request.');
  }
  return tokenAnswer(state, issued);
}

/** RFC 6749 6 */
function refresh(state: DiscordState, token: string | undefined): Response {
  if (!token) return oauthError("invalid_request", "refresh_token is required");
  const live = state.grants.takeRefreshToken(token);
  return live ? tokenAnswer(state, live) : oauthError("invalid_grant", 'Invalid "refresh_token" in request.');
}

/** RFC 7009, with Discord's reach: one token ends them all. */
function revoke(state: DiscordState, token: string | undefined): Response {
  if (!token) return oauthError("invalid_request", "token is required");
  const userId = state.grants.findOwner(token);
  if (userId !== undefined) state.grants.endGrant(userId);
  return Response.json({});
}

function tokenAnswer(state: DiscordState, grant: Pick<LiveToken, "userId" | "scopes">): Response {
  const answer = state.grants.issueTokens(grant.userId, grant.scopes);
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}
