/**
 * Discord's token endpoint: tokens for a code or a refresh token, and the end of a grant. Each request is sent once: a
 * code and a refresh token are single use. https://discord.com/developers/docs/topics/oauth2
 */
import { discordUnavailable, refreshRefused } from "../errors.ts";
import { refreshGrant } from "../oauth/refresh.ts";
import { revokeToken } from "../oauth/revocation.ts";
import type { TokenEndpoint, TokenResponse } from "../oauth/token_endpoint.ts";
import { requestTokens } from "../oauth/token_endpoint.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { secondsAfter } from "../time.ts";
import { isRevoked } from "./answers.ts";
import type { DiscordFlow } from "./authorization_request.ts";
import { LINK_SCOPES } from "./authorization_request.ts";
import type { DiscordOptions, DiscordTokens } from "./client.ts";

/** What a token request needs. */
type TokenClient = {
  readonly upstream: Upstream;
  readonly endpoint: TokenEndpoint;
  readonly now: () => Date;
};

/** Makes the client of the token endpoint for one piece of work. */
export function createTokenClient(
  { apiUrl, clientId, clientSecret, now }: DiscordOptions,
  upstream: Upstream,
): TokenClient {
  const url = `${apiUrl}/oauth2/token`;
  return { upstream, endpoint: { url, clientId, clientSecret, authMethod: "client_secret_basic" }, now };
}

/** Exchanges a code of a flow. Throws code_rejected, discord_unavailable. RFC 6749 4.1.3 */
export async function exchangeCode(
  { upstream, endpoint, now }: TokenClient,
  { redirectUri, scopes }: DiscordFlow,
  code: { readonly code: string; readonly code_verifier?: string },
): Promise<DiscordTokens> {
  const form = { grant_type: "authorization_code", ...code, redirect_uri: redirectUri };
  return readTokens(await requestTokens(upstream, "token_code", endpoint, form), scopes, now());
}

/**
 * Refreshes a grant. Throws grant_ended; refresh_refused for invalid_request, which may mean the same; and
 * discord_unavailable, unsent where time is short. RFC 6749 6
 */
export async function refreshTokens(
  { upstream, endpoint, now }: TokenClient,
  refreshToken: string,
): Promise<DiscordTokens> {
  const ended = "token_refresh: the refresh token is no longer valid";
  const refreshing = { ...upstream, refreshRefused };
  return readTokens(await refreshGrant(refreshing, endpoint, refreshToken, ended), LINK_SCOPES, now());
}

/** Ends a grant; false if Discord refuses for good. Throws discord_client_rejected, discord_unavailable. RFC 7009 */
export async function revokeGrant({ upstream, endpoint }: TokenClient, token: string): Promise<boolean> {
  const revocation = await revokeToken(upstream, endpoint, `${endpoint.url}/revoke`, { token }, isRevoked);
  return revocation === "revoked";
}

/** RFC 6749 5.1: a response without `scope` grants the scopes that were asked for. */
function readTokens(response: TokenResponse, scopesAsked: readonly string[], now: Date): DiscordTokens {
  const { accessToken, refreshToken, scope, expiresIn } = response;
  if (refreshToken === undefined) throw discordUnavailable('token response: "refresh_token" is missing');
  if (expiresIn === undefined) throw discordUnavailable('token response: "expires_in" is missing');
  return {
    accessToken,
    refreshToken,
    scope: scope ?? scopesAsked.join(" "),
    expiresAt: secondsAfter(now, expiresIn),
  };
}
