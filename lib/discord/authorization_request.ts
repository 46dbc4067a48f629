/**
 * The authorization requests to Discord: the link flow's, and that of a sign-in alone. Each flow has its own scopes and
 * redirect address. https://discord.com/developers/docs/topics/oauth2
 */
import { encodeBase64url, sha256 } from "../crypto.ts";
import { createAuthorizationRequest } from "../oauth/authorization.ts";
import type { Discord, DiscordOptions } from "./client.ts";

/** A flow: what it asks the member to approve, and where Discord sends the member back. */
export type DiscordFlow = { readonly scopes: readonly string[]; readonly redirectUri: string };

/** The scopes of a grant that can push. */
export const LINK_SCOPES: readonly string[] = ["identify", "role_connections.write"];
const LOGIN_SCOPES: readonly string[] = ["identify"];

/** The flow that makes a link. */
export const linkFlow = (publicUrl: string): DiscordFlow => ({
  scopes: LINK_SCOPES,
  redirectUri: `${publicUrl}/discord-oauth-callback`,
});

/** The flow that signs a member in. */
export const loginFlow = (publicUrl: string): DiscordFlow => ({
  scopes: LOGIN_SCOPES,
  redirectUri: `${publicUrl}/login`,
});

type Application = Pick<DiscordOptions, "clientId" | "authorizeUrl">;

/** Makes `authorizationUrl`. Discord answers PKCE together with `role_connections.write` by `invalid_scope`. */
export function createAuthorizationUrl(
  { clientId, authorizeUrl }: Application,
  { scopes, redirectUri }: DiscordFlow,
): Discord["authorizationUrl"] {
  const parameters = [["prompt", "consent"]] as const;
  const request = createAuthorizationRequest(authorizeUrl, { clientId, redirectUri }, scopes, parameters);
  return (state) => request({ state });
}

/** Makes `loginUrl`. With prompt=none a member who has approved before need not do so again. */
export function createLoginUrl(
  { clientId, authorizeUrl }: Application,
  { scopes, redirectUri }: DiscordFlow,
): Discord["loginUrl"] {
  const parameters = [
    ["prompt", "none"],
    ["code_challenge_method", "S256"],
  ] as const;
  const request = createAuthorizationRequest(authorizeUrl, { clientId, redirectUri }, scopes, parameters);
  return (state, codeVerifier) => request({ state, code_challenge: encodeBase64url(sha256(codeVerifier)) });
}
