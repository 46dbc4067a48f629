/**
 * The authorization requests to the provider: which scopes Janus asks for, and with which prompt.
 * OpenID Connect Core 1.0, 3.1.2.1
 */
import type { Config } from "../config/load.ts";
import { encodeBase64url, sha256 } from "../crypto.ts";
import { createAuthorizationRequest } from "../oauth/authorization.ts";
import type { ProviderMetadata } from "./discovery.ts";
import { addsOfflineAccess, OFFLINE_ACCESS } from "./offline_access.ts";
import { chooseTokenEndpoint } from "./token_endpoint.ts";

/** What a request is for. */
export type RequestKind = {
  /** The member wants to be able to sign in with another account than the one that the provider knows them by. */
  readonly otherAccount?: boolean;
  /** Without the scope that Janus adds by itself, since the provider has refused it. */
  readonly reduced?: boolean;
  /**
   * Of an administrator, who is to have signed in within so many seconds, and whom Janus never asks for without them: so
   * without offline_access. Core 3.1.2.1, max_age
   */
  readonly maxAgeSeconds?: number;
};

const DEFAULT_SCOPES: readonly string[] = ["openid", "profile"];

/** The address of a request: code flow, PKCE S256. Throws provider_misconfigured. Core 3.1.2.1, RFC 7636 4.3 */
export function buildAuthorizationUrl(
  config: Config["oidc"],
  metadata: ProviderMetadata,
  redirectUri: string,
  { otherAccount = false, reduced = false, maxAgeSeconds }: RequestKind,
  flow: { readonly state: string; readonly nonce: string; readonly codeVerifier: string },
): string {
  // A provider of which Janus cannot be a client is told before the member signs in there for nothing.
  chooseTokenEndpoint(config, metadata);
  const isOfAdmin = maxAgeSeconds !== undefined;
  const prompt = otherAccount
    ? choosePromptForOther(config, metadata)
    : isOfAdmin
      ? ownPrompt(config)
      : choosePrompt(config, metadata);
  const own = config.authorizeParams.filter(
    ([name]) => name !== "prompt" && !(isOfAdmin && name === "max_age"),
  );
  const parameters = isOfAdmin ? [...own, ["max_age", String(maxAgeSeconds)] as const] : own;
  const scopes = reduced ? DEFAULT_SCOPES : chooseScopes(config, metadata);
  const request = createAuthorizationRequest(
    metadata.authorizationEndpoint,
    { clientId: config.clientId, redirectUri },
    isOfAdmin ? scopes.filter((scope) => scope !== OFFLINE_ACCESS) : scopes,
    [
      ["code_challenge_method", "S256"],
      ...parameters,
      ...(prompt === undefined ? [] : ([["prompt", prompt]] as const)),
    ],
  );
  const { state, nonce, codeVerifier } = flow;
  return request({ state, nonce, code_challenge: encodeBase64url(sha256(codeVerifier)) });
}

function chooseScopes(config: Config["oidc"], metadata: ProviderMetadata): readonly string[] {
  if (config.scopes !== undefined) return config.scopes;
  return addsOfflineAccess(config, metadata) ? [...DEFAULT_SCOPES, OFFLINE_ACCESS] : DEFAULT_SCOPES;
}

/**
 * The operator's prompt if there is one; else consent if the operator asks for offline_access, since some providers
 * give no refresh token without it (Core 11). An offline_access that Janus adds does not count: where members may not
 * consent by themselves, each would need an administrator's approval.
 */
function choosePrompt(config: Config["oidc"], metadata: ProviderMetadata): string | undefined {
  const own = ownPrompt(config);
  if (own !== undefined) return own;
  const wantsConsent = config.scopes?.includes(OFFLINE_ACCESS) === true;
  return wantsConsent && takesPrompt(metadata, "consent") ? "consent" : undefined;
}

/**
 * The prompt that lets the member be somebody else; never two, for which Entra shows an error page. It is the
 * operator's if that is of this kind and the provider takes it; else one that the provider announces; else login,
 * which every provider must know, while select_account is optional. Core 3.1.2.1, 15.1
 */
function choosePromptForOther(config: Config["oidc"], metadata: ProviderMetadata): string {
  const own = ownPrompt(config)?.split(" ") ?? [];
  const wanted = OTHER_ACCOUNT_PROMPTS.filter((prompt) => own.includes(prompt));
  const known = metadata.promptValues !== undefined ? OTHER_ACCOUNT_PROMPTS : (["login"] as const);
  return [...wanted, ...known].find((prompt) => takesPrompt(metadata, prompt)) ?? "login";
}

const OTHER_ACCOUNT_PROMPTS = ["select_account", "login"] as const;

/** The prompt of OIDC_AUTHORIZE_PARAMS, if it has one. */
function ownPrompt({ authorizeParams }: Config["oidc"]): string | undefined {
  return authorizeParams.find(([name]) => name === "prompt")?.[1].trim();
}

/** False where the provider announces other prompts only: it would refuse the request. */
function takesPrompt({ promptValues }: ProviderMetadata, prompt: string): boolean {
  return promptValues === undefined || promptValues.includes(prompt);
}
