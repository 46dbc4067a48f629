/** The forger's token and revocation endpoints: strict with the client, at a test's mercy in what they answer. */
import type { ForgerGrant, ForgerState } from "./forger_state.ts";
import type { Claims, Sign } from "./forger_tokens.ts";
import { accessTokenHash, signToken } from "./forger_tokens.ts";
import type { Form } from "./oauth_rules.ts";
import { oauthError, parseForm, provesChallenge, randomToken, refuseClient } from "./oauth_rules.ts";

/** Answers the token endpoint. OpenID Connect Core 3.1.3, 12 */
export async function answerToken(state: ForgerState, request: Request): Promise<Response> {
  const form = await readForm(state, request);
  if (form instanceof Response) return form;

  const grantType = form.get("grant_type") ?? "";
  switch (grantType) {
    case "authorization_code":
      return await exchangeCode(state, form);
    case "refresh_token":
      return await refresh(state, form);
    default:
      return oauthError(grantType === "" ? "invalid_request" : "unsupported_grant_type");
  }
}

/** Answers the revocation endpoint: the token is gone, known or not, and with a refresh token its grant. RFC 7009 2 */
export async function revokeToken(state: ForgerState, request: Request): Promise<Response> {
  const form = await readForm(state, request);
  if (form instanceof Response) return form;
  const token = form.get("token");
  if (!token) return oauthError("invalid_request", "token is required");
  const hint = form.get("token_type_hint");
  // RFC 7009 lets a server ignore a hint that it does not know; Keycloak refuses it.
  if (hint !== undefined && !TOKEN_TYPES.includes(hint)) return oauthError("unsupported_token_type");

  const ended = state.refreshTokens.get(token);
  state.accessTokens.delete(token);
  for (const tokens of ended ? [state.accessTokens, state.refreshTokens] : []) {
    for (const [key, grant] of tokens) if (grant.id === ended?.id) tokens.delete(key);
  }
  return new Response(null, { status: 200 });
}

const TOKEN_TYPES = ["access_token", "refresh_token"];

const TOKEN_TTL_SECONDS = 3600;

async function readForm(state: ForgerState, request: Request): Promise<Form | Response> {
  const form = parseForm(request.headers.get("content-type"), await request.text());
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

  const isOffline = grant.scope.split(" ").includes("offline_access");
  return await issue(
    state,
    grant,
    "authorization_code",
    isOffline ? newRefreshToken(state, grant) : undefined,
  );
}

async function refresh(state: ForgerState, form: Form): Promise<Response> {
  const token = form.get("refresh_token") ?? "";
  const grant = state.refreshTokens.get(token);
  if (!grant) return oauthError("invalid_grant", "the refresh token is unknown or used");
  if (state.overrides.rotatesRefreshTokens === false) return await issue(state, grant, "refresh_token");
  state.refreshTokens.delete(token);
  return await issue(state, grant, "refresh_token", newRefreshToken(state, grant));
}

/** Refreshed ID Tokens have no nonce. OpenID Connect Core 12.2 */
function newRefreshToken(state: ForgerState, grant: ForgerGrant): string {
  const token = randomToken();
  state.refreshTokens.set(token, { ...grant, nonce: undefined });
  return token;
}

async function issue(
  state: ForgerState,
  grant: ForgerGrant,
  grantType: string,
  refreshToken?: string,
): Promise<Response> {
  const accessToken = randomToken();
  state.accessTokens.set(accessToken, grant);
  const answer = {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: TOKEN_TTL_SECONDS,
    scope: grant.scope,
    id_token: await makeIdToken(state, grant, accessToken),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  };
  const replaced = state.overrides.tokenAnswer ? state.overrides.tokenAnswer(answer, grantType) : answer;
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
    exp: iat + TOKEN_TTL_SECONDS,
    nonce: grant.nonce,
    at_hash: accessTokenHash(accessToken, state.key.alg),
  };
  const sign: Sign = (signed, header = {}, key = state.key) => signToken(signed, header, key);
  return state.overrides.idToken ? await state.overrides.idToken(claims, sign) : sign(claims);
}
