/**
 * A link's tokens at the provider, refreshed: the refresh token is spent, and what comes has to be stored before it is
 * used. Only invalid_grant says that the grant has ended. RFC 6749 6, OpenID Connect Core 1.0, 12
 */
import type { Config } from "../config/load.ts";
import { asUntaken, refreshRefused } from "../errors.ts";
import { refreshGrant } from "../oauth/refresh.ts";
import type { TokenEndpoint } from "../oauth/token_endpoint.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { secondsAfter } from "../time.ts";
import type { ProviderTokens } from "./client.ts";
import type { ProviderMetadata } from "./discovery.ts";
import { chooseTokenEndpoint } from "./token_endpoint.ts";

/** Less than a request has for all its calls. Where nobody waits, `refreshGrant` allows a multiple of it. */
const DEADLINE_MS = 5_000;

/** Spends a refresh token, once `beforeSend` has settled. Throws as `Oidc` says. */
export async function refreshTokens(
  { config, now }: { readonly config: Config["oidc"]; readonly now: () => Date },
  upstream: Upstream,
  load: () => Promise<ProviderMetadata>,
  refreshToken: string,
  beforeSend: () => Promise<void> = () => Promise.resolve(),
): Promise<ProviderTokens> {
  const endpoint = await findEndpoint(config, load);
  const refreshing = {
    ...upstream,
    deadlineMs: Math.min(upstream.deadlineMs, DEADLINE_MS),
    // Some providers answer so for a token that they have forgotten: that is about the token, and not definite.
    refreshRefused,
    beforeSend: async () => {
      try {
        await beforeSend();
      } catch (error) {
        throw asUntaken(error);
      }
    },
  };
  const ended = "token_refresh: the provider no longer accepts the refresh token";
  const response = await refreshGrant(refreshing, endpoint, refreshToken, ended);
  const { accessToken, idToken, expiresIn, scope } = response;
  const expiresAt = expiresIn === undefined ? undefined : secondsAfter(now(), expiresIn);
  return { accessToken, refreshToken: response.refreshToken, idToken, expiresAt, scope };
}

/** The token endpoint. Whatever fails here, the refresh token was not sent. */
async function findEndpoint(
  config: Config["oidc"],
  load: () => Promise<ProviderMetadata>,
): Promise<TokenEndpoint> {
  try {
    return chooseTokenEndpoint(config, await load());
  } catch (error) {
    throw asUntaken(error);
  }
}
