/**
 * The authorization requests to the provider, all but what is new in each: which scopes are asked for, and which prompt.
 * Building an address costs, so they are prepared once for a discovery document. OpenID Connect Core 1.0, 3.1.2.1
 */
import type { Config } from "../config/load.ts";
import type { AuthorizationRequest } from "../oauth/authorization.ts";
import { prepareAuthorizationRequest } from "../oauth/authorization.ts";
import type { ProviderMetadata } from "./discovery.ts";

/** What a request is for. */
export type RequestKind = {
  /** The member wants to be able to sign in with another account than the one that the provider knows them by. */
  readonly otherAccount?: boolean;
  /** Without the scope that Janus adds by itself, since the provider has refused it. */
  readonly reduced?: boolean;
};

const DEFAULT_SCOPES: readonly string[] = ["openid", "profile"];
const OFFLINE_ACCESS = "offline_access";

/** Prepares the requests to one provider; gives the one of a kind. */
export function prepareRequests(
  config: Config["oidc"],
  metadata: ProviderMetadata,
  redirectUri: string,
): (kind: RequestKind) => AuthorizationRequest {
  const prepare = ({ otherAccount = false, reduced = false }: RequestKind): AuthorizationRequest => {
    const prompt = otherAccount ? choosePromptForOther(config, metadata) : choosePrompt(config, metadata);
    const own = config.authorizeParams.filter(([name]) => name !== "prompt");
    return prepareAuthorizationRequest(
      metadata.authorizationEndpoint,
      { clientId: config.clientId, redirectUri },
      reduced ? DEFAULT_SCOPES : chooseScopes(config, metadata),
      [
        ["code_challenge_method", "S256"],
        ...own,
        ...(prompt === undefined ? [] : ([["prompt", prompt]] as const)),
      ],
    );
  };
  const prepared = {
    ordinary: prepare({}),
    other: prepare({ otherAccount: true }),
    reduced: prepare({ reduced: true }),
    reducedOther: prepare({ otherAccount: true, reduced: true }),
  };
  return ({ otherAccount = false, reduced = false }) => {
    if (reduced) return otherAccount ? prepared.reducedOther : prepared.reduced;
    return otherAccount ? prepared.other : prepared.ordinary;
  };
}

/** Whether Janus asks for offline_access by itself: the provider announces it, and the operator says nothing of scopes. */
export function addsOfflineAccess(config: Config["oidc"], metadata: ProviderMetadata): boolean {
  return config.scopes === undefined && metadata.scopesSupported.includes(OFFLINE_ACCESS);
}

function chooseScopes(config: Config["oidc"], metadata: ProviderMetadata): readonly string[] {
  if (config.scopes !== undefined) return config.scopes;
  return addsOfflineAccess(config, metadata) ? [...DEFAULT_SCOPES, OFFLINE_ACCESS] : DEFAULT_SCOPES;
}

/**
 * The operator's prompt where there is one. Else consent, where the operator asks for offline_access: some providers
 * give no refresh token without it (Core 11). An announced offline_access is no reason: where members may not consent by
 * themselves, each would need an administrator's approval.
 */
function choosePrompt(config: Config["oidc"], metadata: ProviderMetadata): string | undefined {
  const own = ownPrompt(config);
  if (own !== undefined) return own;
  const wantsConsent = config.scopes?.includes(OFFLINE_ACCESS) === true;
  return wantsConsent && takesPrompt(metadata, "consent") ? "consent" : undefined;
}

/**
 * One prompt that lets the member be somebody else, never two: Entra shows an error page for two. The operator's, where
 * it is of this kind and the provider takes it; else the one that is announced; else login, which every provider must
 * know, announced or not, while select_account is optional. Core 3.1.2.1, 15.1
 */
function choosePromptForOther(config: Config["oidc"], metadata: ProviderMetadata): string {
  const own = ownPrompt(config)?.split(" ") ?? [];
  const wanted = OTHER_ACCOUNT_PROMPTS.filter((prompt) => own.includes(prompt));
  const known = metadata.promptValues !== undefined ? OTHER_ACCOUNT_PROMPTS : (["login"] as const);
  return [...wanted, ...known].find((prompt) => takesPrompt(metadata, prompt)) ?? "login";
}

const OTHER_ACCOUNT_PROMPTS = ["select_account", "login"] as const;

/** The prompt of OIDC_AUTHORIZE_PARAMS; undefined where it says nothing of it. */
function ownPrompt({ authorizeParams }: Config["oidc"]): string | undefined {
  return authorizeParams.find(([name]) => name === "prompt")?.[1].trim();
}

/** False where the provider announces prompts, and not this one: it would refuse the request. */
function takesPrompt({ promptValues }: ProviderMetadata, prompt: string): boolean {
  return promptValues === undefined || promptValues.includes(prompt);
}
