/** The provider's token endpoint, and the way in which Janus authenticates there. RFC 6749 2.3.1, RFC 8414 2 */
import type { Config } from "../config/load.ts";
import { providerMisconfigured } from "../errors.ts";
import type { TokenEndpoint } from "../oauth/token_endpoint.ts";
import type { ProviderMetadata } from "./discovery.ts";

const METHODS = ["client_secret_basic", "client_secret_post"] as const;

/** By the method that is configured, else Basic, which RFC 6749 prefers, else post. Throws provider_misconfigured. */
export function chooseTokenEndpoint(config: Config["oidc"], metadata: ProviderMetadata): TokenEndpoint {
  const authMethod =
    config.tokenAuthMethod ?? METHODS.find((method) => metadata.tokenAuthMethods.includes(method));
  if (authMethod === undefined) {
    throw providerMisconfigured(`discovery: the token endpoint supports neither ${METHODS.join(" nor ")}`);
  }
  const { clientId, clientSecret } = config;
  return { url: metadata.tokenEndpoint, clientId, clientSecret, authMethod };
}
