/** The forger's token and revocation endpoints: strict with the client, at a test's mercy in what they answer. */
import type { ForgerCall, ForgerGrant, ForgerState } from "./forger_state.ts";
import type { Claims, Sign } from "./forger_tokens.ts";
import { accessTokenHash, signToken } from "./forger_tokens.ts";
import type { Form } from "./oauth_rules.ts";
import { oauthError, parseForm, provesChallenge, refuseClient } from "./oauth_rules.ts";

/** Answers the token endpoint. OpenID Connect Core 3.1.3, 12 */
export async function answerToken(state: ForgerState, call: ForgerCall): Promise<Response> {
  const form = readForm(state, call);
  if (form instanceof Response) return form;

  const grantType = form.get("grant_type") ?? "";
  switch (grantType) {
    case "authorization_code":
      return await exchangeCode(state, form);
    case "refresh_token":
      return await refresh(state, form, call);
    default:
      return oauthError(grantType === "" ? "invalid_request" : "unsupported_grant_type");
  }
}

/** Answers the revocation endpoint: the token is gone, known or not, and with a refresh token its grant. RFC 7009 2 */
export function revokeToken(state: ForgerState, call: ForgerCall): Response {
  const form = readForm(state, call);
  if (form instanceof Response) return form;
  const token = form.get("token");
  if (!token) return oauthError("invalid_request", "token is required");
  const hint = form.get("token_type_hint");
  // RFC 7009 lets a server ignore a hint that it does not know; Keycloak refuses it.
  if (hint !== undefined && !TOKEN_TYPES.includes(hint)) return oauthError("unsupported_token_type");

  state.tokens.revoke(token);
  return new Response(null, { status: 200 });
}

/** Gives out the tokens of a grant, without anybody's asking. */
export function giveTokens(state: ForgerState, grant: ForgerGrant) {
  return { accessToken: newAccessToken(state, grant), refreshToken: newRefreshToken(state, grant) };
}

const TOKEN_TYPES = ["access_token", "refresh_token"];

const HOUR_SECONDS = 3600;

function readForm(state: ForgerState, { request, body }: ForgerCall): Form | Response {
  const form = parseForm(request.headers.get("content-type"), body);
  if (!form) return oauthError("invalid_request", "the body must be a form that names each parameter once");
  return (
    refuseClient(request.headers.get("authorization"), form, state.options, state.options.clientAuth) ?? form
  );
}

async function exchangeCode(state: ForgerState, form: Form): Promise<Response> {
  const code = form.get("code") ?? "";
  const grant = state.codes.get(code);
  state.codes.delete(code);
  if (!grant) return oauthError("invalid_grant", "the code is unknown or used");
  if (grant.redirectUri !== form.get("redirect_uri"))
    return oauthError("invalid_grant", "wrong redirect_uri");
  if (!provesChallenge(grant.codeChallenge, form.get("code_verifier"))) {
    return oauthError("invalid_grant", "wrong code_verifier");
  }
  if (state.disabled.has(grant.sub)) return oauthError("invalid_grant", "the account is disabled");

  const isOffline = grant.scope.split(" ").includes("offline_access");
  return await issue(
    state,
    grant,
    "authorization_code",
    isOffline ? newRefreshToken(state, grant) : undefined,
  );
}

/** RFC 6749 6. A disabled account keeps its tokens: they work again once it is enabled. */
async function refresh(state: ForgerState, form: Form, { onRefresh }: ForgerCall): Promise<Response> {
  const token = form.get("refresh_token") ?? "";
  const grant = state.tokens.find("refresh", token) ?? findForgiven(state, token);
  if (!grant || state.disabled.has(grant.sub)) {
    onRefresh("refused");
    return refuseRefresh(state, token);
  }
  // Core 12.2: a refreshed ID Token needs no nonce.
  const refreshed = grant.nonce === undefined ? grant : { ...grant, nonce: undefined };
  if (state.overrides.rotatesRefreshTokens === false) {
    onRefresh("kept");
    return await issue(state, refreshed, "refresh_token");
  }
  state.tokens.spend(token, refreshed);
  onRefresh("spent");
  return await issue(state, refreshed, "refresh_token", newRefreshToken(state, refreshed));
}

/** The tokens that came in the lost answer end. */
function findForgiven({ tokens, overrides }: ForgerState, token: string): ForgerGrant | undefined {
  const grant = overrides.forgivesLostAnswers ? tokens.findUnfollowed(token) : undefined;
  if (grant !== undefined) tokens.endFamily(grant);
  return grant;
}

function refuseRefresh(state: ForgerState, token: string): Response {
  const reused = state.tokens.findSpent(token);
  if (reused && state.options.reuseEndsGrant) state.tokens.endFamily(reused);
  if (state.overrides.forgetsDeadTokens && state.refused.has(token))
    return oauthError("invalid_request", "there is no such refresh token");
  state.refused.add(token);
  return oauthError("invalid_grant", "the refresh token is unknown, used or of a disabled account");
}

function newAccessToken({ tokens, options }: ForgerState, grant: ForgerGrant): string {
  return tokens.give("access", grant, options.accessTokenSeconds ?? HOUR_SECONDS);
}

function newRefreshToken({ tokens, options }: ForgerState, grant: ForgerGrant): string {
  return tokens.give("refresh", grant, options.refreshTokenSeconds ?? Number.POSITIVE_INFINITY);
}

async function issue(
  state: ForgerState,
  grant: ForgerGrant,
  grantType: "authorization_code" | "refresh_token",
  refreshToken?: string,
): Promise<Response> {
  const accessToken = newAccessToken(state, grant);
  const hasIdToken = grantType === "authorization_code" || (state.overrides.refreshBringsIdToken ?? true);
  const answer = {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: state.options.accessTokenSeconds ?? HOUR_SECONDS,
    scope: grant.scope,
    ...(hasIdToken ? { id_token: await makeIdToken(state, grant, accessToken) } : {}),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  };
  const { tokenAnswer } = state.overrides;
  const replaced = tokenAnswer ? tokenAnswer(answer, grantType, grant.sub) : answer;
  return replaced instanceof Response
    ? replaced
    : Response.json(replaced, { headers: { "cache-control": "no-store" } });
}

async function makeIdToken(state: ForgerState, grant: ForgerGrant, accessToken: string): Promise<string> {
  const iat = Math.floor(state.now().getTime() / 1000);
  const claims: Claims = {
    ...state.identities.get(grant.sub),
    iss: state.issuer,
    aud: state.options.clientId,
    iat,
    exp: iat + HOUR_SECONDS,
    nonce: grant.nonce,
    at_hash: accessTokenHash(accessToken, state.key.alg),
  };
  const sign: Sign = (signed, header = {}, key = state.key) => signToken(signed, header, key);
  return state.overrides.idToken ? await state.overrides.idToken(claims, sign) : sign(claims);
}
