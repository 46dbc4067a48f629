/**
 * The client's side of the stand-ins' own tests: plain requests, one a step, that are right unless a test
 * makes them wrong. Tests of Janus do not need it, since there Janus is the client.
 */
import { createHash } from "node:crypto";
import type { DiscordStandin } from "./discord.ts";
import { startDiscord } from "./discord.ts";
import { approveDiscord, createJar, visit } from "./member.ts";

export const ANNA = "100000000000000001";
export const BO = "100000000000000002";
export const CLIENT = { clientId: "200000000000000001", clientSecret: "s3cret:/+ ~%" };
export const CALLBACK = "http://127.0.0.1:9/callback";
export const LOGIN = "http://127.0.0.1:9/login";
export const ANNAS_AVATAR = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
export const USER_AGENT = "DiscordBot (https://example.org, 1.0)";
export const LINK_SCOPES = "identify role_connections.write";
export const VERIFIER = "v".repeat(43);
export const PKCE = {
  code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
  code_challenge_method: "S256",
};

type Tokens = { readonly access_token: string; readonly refresh_token: string; readonly id_token: string };

export const roleConnectionPath = `/users/@me/applications/${CLIENT.clientId}/role-connection`;
export const recordsPath = `/applications/${CLIENT.clientId}/role-connections/metadata`;

export function authorizeUrl(discord: DiscordStandin, params: Readonly<Record<string, string>> = {}): string {
  return oidcUrl(discord.authorizeUrl, { scope: LINK_SCOPES, ...params }, {});
}

export function oidcUrl(
  endpoint: string,
  params: Readonly<Record<string, string>> = {},
  proof: object = PKCE,
): string {
  return `${endpoint}?${new URLSearchParams({
    client_id: CLIENT.clientId,
    response_type: "code",
    redirect_uri: CALLBACK,
    state: "the-state",
    nonce: "the-nonce",
    scope: "openid profile offline_access",
    ...proof,
    ...params,
  })}`;
}

export function paramsOf(callback: string): Readonly<Record<string, string>> {
  return Object.fromEntries(new URL(callback).searchParams);
}

export async function authorizeAtForger(endpoint: string): Promise<string> {
  return (await visit(oidcUrl(endpoint), createJar())).headers.get("location") ?? "";
}

/** client_secret_basic, form-encoded as RFC 6749 2.3.1 has it. */
export async function tokenCall(url: string, form: Readonly<Record<string, string>>): Promise<Response> {
  const [id, secret] = [CLIENT.clientId, CLIENT.clientSecret].map(encodeURIComponent);
  const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}`, "user-agent": USER_AGENT };
  return await fetch(url, { method: "POST", headers, body: new URLSearchParams(form) });
}

export function token(
  discord: DiscordStandin,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<Response> {
  return tokenCall(`${discord.apiUrl}${path}`, form);
}

function codeForm(callback: string) {
  return { grant_type: "authorization_code", code: paramsOf(callback).code ?? "", redirect_uri: CALLBACK };
}

export function exchange(
  discord: DiscordStandin,
  callback: string,
  extra: Readonly<Record<string, string>> = {},
) {
  return token(discord, "/oauth2/token", { ...codeForm(callback), ...extra });
}

export function oidcExchange(endpoint: string, callback: string, verifier = VERIFIER): Promise<Response> {
  return tokenCall(endpoint, { ...codeForm(callback), code_verifier: verifier });
}

export function refresh(discord: DiscordStandin, refreshToken: string): Promise<Response> {
  return token(discord, "/oauth2/token", { grant_type: "refresh_token", refresh_token: refreshToken });
}

export async function tokensOf(response: Response): Promise<Tokens> {
  if (!response.ok) throw new Error(`no tokens: ${response.status} ${await response.text()}`);
  return (await response.json()) as Tokens;
}

export async function signIn(discord: DiscordStandin, userId: string, scope = LINK_SCOPES): Promise<string> {
  const callback = await approveDiscord(authorizeUrl(discord, { scope }), userId);
  return (await tokensOf(await exchange(discord, callback))).access_token;
}

export function api(
  discord: DiscordStandin,
  method: string,
  path: string,
  secret: string,
  body?: string,
  scheme: "Bearer" | "Bot" = "Bearer",
): Promise<Response> {
  return fetch(`${discord.apiUrl}${path}`, {
    method,
    headers: {
      authorization: `${scheme} ${secret}`,
      "user-agent": USER_AGENT,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body }),
  });
}

export function discordStandin(): DiscordStandin {
  const users = [
    { id: ANNA, username: "anna", globalName: "Anna <3", avatar: ANNAS_AVATAR },
    { id: BO, username: "bo", globalName: null },
  ];
  return startDiscord({ ...CLIENT, botToken: "bot-token", redirectUris: [CALLBACK, LOGIN], users });
}
