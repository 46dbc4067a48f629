/**
 * The authorization requests to Discord: the link flow's, and that of a sign-in alone. Each flow has its own scopes and
 * redirect address. https://discord.com/developers/docs/topics/oauth2
 */
import { addressesOf } from "../config/addresses.ts";
import { encodeBase64url, sha256 } from "../crypto.ts";
import { createAuthorizationRequest } from "../oauth/authorization.ts";
import type { DiscordOptions } from "./client.ts";

/** A flow: what it asks the member to approve, and where Discord sends the member back. */
export type DiscordFlow = { readonly scopes: readonly string[]; readonly redirectUri: string };

/** The scopes of a grant that can push. */
export const LINK_SCOPES: readonly string[] = ["identify", "role_connections.write"];
const LOGIN_SCOPES: readonly string[] = ["identify"];

/** The flow that makes a link. */
export const linkFlow = (publicUrl: string): DiscordFlow => ({
  scopes: LINK_SCOPES,
  redirectUri: addressesOf(publicUrl).discordCallback,
});

/** The flow that signs a member in. */
export const loginFlow = (publicUrl: string): DiscordFlow => ({
  scopes: LOGIN_SCOPES,
  redirectUri: addressesOf(publicUrl).login,
});

/** Where a member signs in. The same for all work, so no client has to be made for it. */
export type DiscordUrls = {
  /** The link flow's authorization request. Without PKCE, which Discord refuses for its scopes. RFC 6749 4.1.1 */
  readonly authorizationUrl: (state: string) => string;
  /** A sign-in's authorization request: scope `identify`, PKCE S256. RFC 7636 4.3 */
  readonly loginUrl: (state: string, codeVerifier: string) => string;
};

type Application = Pick<DiscordOptions, "clientId" | "authorizeUrl" | "publicUrl">;

/** Makes both. */
export function createDiscordUrls({ clientId, authorizeUrl, publicUrl }: Application): DiscordUrls {
  const requestOf = (
    { scopes, redirectUri }: DiscordFlow,
    parameters: readonly (readonly [string, string])[],
  ) => createAuthorizationRequest(authorizeUrl, { clientId, redirectUri }, scopes, parameters);
  // Discord answers PKCE together with `role_connections.write` by `invalid_scope`.
  const link = requestOf(linkFlow(publicUrl), [["prompt", "consent"]]);
  // With prompt=none a member who has approved before need not do so again.
  const login = requestOf(loginFlow(publicUrl), [
    ["prompt", "none"],
    ["code_challenge_method", "S256"],
  ]);
  return {
    authorizationUrl: (state) => link({ state }),
    loginUrl: (state, codeVerifier) =>
      login({ state, code_challenge: encodeBase64url(sha256(codeVerifier)) }),
  };
}
