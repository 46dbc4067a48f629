/**
 * What the link flow costs with nothing around it: `Bun.serve` and postgres.js, the same exchange, the same sealing,
 * the same verification, the same two statements; and what `/api/userinfo` costs. The benchmark measures Janus against
 * this program.
 *
 * It is no handicapped program: the statements are Janus's own texts, prepared; the ciphers are the synchronous ones
 * of `node:crypto`, its keys derived once; what can be built once is built once. It leaves out everything else that a server
 * for members needs: validation of what comes in and of what upstreams answer, error mapping and pages, deadlines and
 * body caps, retries, logging, request ids, security headers, key rotation, several flows in one browser, the
 * checks of an ID Token that jose does not make by itself (but for the nonce), discovery's renewal, conflicts between accounts, the
 * record of a push that Discord took, upkeep, and a shutdown. Do not deploy it.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import postgres from "postgres";
import { STATEMENTS } from "../../lib/database/queries.ts";
import type { QueryOf, Statement } from "../../lib/database/statement.ts";

const env = process.env as Record<string, string>;
const { PUBLIC_URL, DISCORD_CLIENT_ID, DISCORD_API_URL, OIDC_CLIENT_ID, OIDC_ISSUER = "" } = env;
const sql = postgres(env.DATABASE_URL ?? "", { max: 10, fetch_types: false });
type Value = string | Date | object | null;
const run = (text: string, values: readonly Value[]) =>
  sql.unsafe(text, [...values] as string[], { prepare: true });

/** Runs one of Janus's statements. A parameter that it has and this program does not give does not compile. */
function runOwn<S extends Statement>({ text, parameters }: S, values: Parameters<QueryOf<S>>[0]) {
  const byName = values as Readonly<Record<string, Value>>;
  return run(
    text,
    Object.keys(parameters).map((name) => byName[name] ?? null),
  );
}

const provider = (await (await fetch(`${OIDC_ISSUER}/.well-known/openid-configuration`)).json()) as Record<
  string,
  string
>;
const keys = createRemoteJWKSet(new URL(provider.jwks_uri ?? ""));

const basic = (id = "", secret = "") =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`;
const discordBasic = basic(DISCORD_CLIENT_ID, env.DISCORD_CLIENT_SECRET);
const oidcBasic = basic(OIDC_CLIENT_ID, env.OIDC_CLIENT_SECRET);
const userAgent = `DiscordBot (${PUBLIC_URL}, 0)`;
const discordRedirect = `${PUBLIC_URL}/discord-oauth-callback`;
const oidcRedirect = `${PUBLIC_URL}/dsek-oauth-callback`;
const discordAuthorize = `${env.DISCORD_AUTHORIZE_URL}?${new URLSearchParams({
  response_type: "code",
  client_id: DISCORD_CLIENT_ID ?? "",
  scope: "identify role_connections.write",
  redirect_uri: discordRedirect,
  prompt: "consent",
})}&state=`;
const oidcAuthorize = `${provider.authorization_endpoint}?${new URLSearchParams({
  response_type: "code",
  client_id: OIDC_CLIENT_ID ?? "",
  scope: "openid profile offline_access",
  redirect_uri: oidcRedirect,
  code_challenge_method: "S256",
})}`;

const deriveKey = (secret: string, purpose: string) =>
  new Uint8Array(hkdfSync("sha256", Buffer.from(secret, "base64url"), "", purpose, 32));
const cookieKey = deriveKey(env.COOKIE_SECRET ?? "", "cookies");
const tokenKey = deriveKey(env.TOKEN_KEYS?.split(":")[1] ?? "", "tokens");

const secret = () => randomBytes(32).toString("base64url");
const sha256 = (text: string, encoding: "hex" | "base64url") =>
  createHash("sha256").update(text).digest(encoding);

function seal(key: Uint8Array, text: string, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(context));
  const body = cipher.update(text, "utf8");
  return Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

function open(key: Uint8Array, sealed: string, context: string): string {
  const bytes = Buffer.from(sealed, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
}

/** A redirect that leaves a sealed record of the flow in the browser. */
function depart(location: string, flow: Record<string, string>): Response {
  const cookie = `flow=${seal(cookieKey, JSON.stringify(flow), "flow")}; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax`;
  return new Response(null, { status: 302, headers: { location, "set-cookie": cookie } });
}

/** The callback's code, and the browser's flow if the state is its. */
function arrive(request: Request): { code: string; flow: Record<string, string> } | undefined {
  const query = new URL(request.url).searchParams;
  const flow = JSON.parse(
    open(cookieKey, request.headers.get("cookie")?.slice("flow=".length) ?? "", "flow"),
  );
  return flow.state === query.get("state") ? { code: query.get("code") ?? "", flow } : undefined;
}

async function exchange(url: string, authorization: string, form: Record<string, string>) {
  const body = new URLSearchParams({ grant_type: "authorization_code", ...form });
  const headers = { authorization, "user-agent": userAgent };
  return (await (await fetch(url, { method: "POST", headers, body })).json()) as {
    access_token: string;
    refresh_token: string;
    id_token: string;
    scope: string;
    expires_in: number;
  };
}

const inSeconds = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1_000);

async function finishDiscordLeg(request: Request): Promise<Response> {
  const arrived = arrive(request);
  if (!arrived) return new Response(null, { status: 403 });
  const tokens = await exchange(`${DISCORD_API_URL}/oauth2/token`, discordBasic, {
    code: arrived.code,
    redirect_uri: discordRedirect,
  });
  const headers = { authorization: `Bearer ${tokens.access_token}`, "user-agent": userAgent };
  const { user } = (await (await fetch(`${DISCORD_API_URL}/oauth2/@me`, { headers })).json()) as {
    user: { id: string; username: string; global_name: string | null };
  };
  const [state, nonce, codeVerifier, flowId] = [secret(), secret(), secret(), secret()];
  const [sessionId, sessionKey] = [secret(), secret()];
  const now = new Date();
  await runOwn(STATEMENTS.finishDiscordLeg, {
    discordUserId: user.id,
    username: user.username,
    globalName: user.global_name,
    accessTokenSealed: seal(tokenKey, tokens.access_token, `discord access ${user.id}`),
    refreshTokenSealed: seal(tokenKey, tokens.refresh_token, `discord refresh ${user.id}`),
    scope: tokens.scope,
    expiresAt: inSeconds(now, tokens.expires_in),
    flowIdHash: sha256(flowId, "hex"),
    flowExpiresAt: inSeconds(now, 600),
    requestId: randomUUID(),
    now,
    sessionAccessTokenSealed: seal(
      deriveKey(sessionKey, "session"),
      tokens.access_token,
      `session ${sha256(sessionId, "hex")}`,
    ),
  });
  const challenge = sha256(codeVerifier, "base64url");
  const location = `${oidcAuthorize}&state=${state}&nonce=${nonce}&code_challenge=${challenge}`;
  return depart(location, { state, nonce, codeVerifier, flowId, sessionId, sessionKey });
}

async function finishProviderLeg(request: Request): Promise<Response> {
  const arrived = arrive(request);
  if (!arrived) return new Response(null, { status: 403 });
  const { nonce, codeVerifier = "", flowId = "", sessionId = "", sessionKey = "" } = arrived.flow;
  const tokens = await exchange(provider.token_endpoint ?? "", oidcBasic, {
    code: arrived.code,
    redirect_uri: oidcRedirect,
    code_verifier: codeVerifier,
  });
  const { payload } = await jwtVerify(tokens.id_token, keys, {
    issuer: OIDC_ISSUER,
    audience: OIDC_CLIENT_ID ?? "",
    algorithms: ["RS256"],
  });
  if (payload.nonce !== nonce || payload.sub === undefined) return new Response(null, { status: 403 });
  const claims = {
    preferred_username: String(payload.preferred_username),
    groups: payload.groups as readonly string[],
  };
  const now = new Date();
  const [row] = await runOwn(STATEMENTS.finishProviderLeg, {
    flowIdHash: sha256(flowId, "hex"),
    issuer: OIDC_ISSUER,
    subject: payload.sub,
    claims,
    sources: {},
    isAdmitted: true,
    accessTokenSealed: seal(tokenKey, tokens.access_token, `provider access ${payload.sub}`),
    refreshTokenSealed: seal(tokenKey, tokens.refresh_token, `provider refresh ${payload.sub}`),
    expiresAt: inSeconds(now, tokens.expires_in),
    pushLeasedUntil: inSeconds(now, 120),
    checkDueAt: inSeconds(now, 86_400),
    providerSessionId: null,
    preferredUsername: claims.preferred_username,
    moveIdHash: sha256(secret(), "hex"),
    moveExpiresAt: inSeconds(now, 600),
    requestId: randomUUID(),
    now,
    sessionIdHash: sha256(sessionId, "hex"),
    sessionHandle: randomBytes(9).toString("base64url"),
    userAgent: null,
    sessionExpiresAt: inSeconds(now, 30 * 86_400),
    replacedSessionIdHashes: null,
    sessionKeyHash: sha256(sessionKey, "hex"),
    replacedSessionKeyHashes: null,
    scimSubject: null,
    scimAttribute: null,
  });
  const accessToken = open(tokenKey, row?.access_token_sealed, `discord access ${row?.discord_user_id}`);
  const url = `${DISCORD_API_URL}/users/@me/applications/${DISCORD_CLIENT_ID}/role-connection`;
  const pushed = await fetch(url, {
    method: "PUT",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "user-agent": userAgent,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      platform_name: env.PLATFORM_NAME,
      platform_username: claims.preferred_username,
      metadata: { dsek_member: "1" },
    }),
  });
  // Read to its end, so that the connection is used again.
  await pushed.text();
  const attributes = "; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax";
  const headers = new Headers();
  headers.append("set-cookie", `sessionId=${sessionId}${attributes}`);
  headers.append("set-cookie", `sessionKey=${sessionKey}${attributes}`);
  const names = { discord: row?.username, organisation: claims.preferred_username };
  headers.append("set-cookie", `result=${seal(cookieKey, JSON.stringify(names), "result")}${attributes}`);
  headers.set("location", "/result/linked");
  return new Response(null, { status: 303, headers });
}

/** What the last callback has left in the browser. */
function showResult(request: Request): Response {
  const [, sealed = ""] = /result=([^;]*)/.exec(request.headers.get("cookie") ?? "") ?? [];
  return new Response(`Linked: ${open(cookieKey, sealed, "result")}`);
}

/** Whose session it is, as Discord tells it now: one lookup, one decryption, one call. */
async function showUserinfo(request: Request): Promise<Response> {
  const cookie = request.headers.get("cookie") ?? "";
  const [sessionId = "", sessionKey = ""] = ["sessionId", "sessionKey"].map(
    (name) => new RegExp(`${name}=([\\w-]{43})`).exec(cookie)?.[1] ?? "",
  );
  const hash = sha256(sessionId, "hex");
  const [row] = await run(
    "select access_token_sealed from session where session_id_hash = $1 and expires_at > $2",
    [hash, new Date()],
  );
  if (row === undefined) return new Response(null, { status: 401 });
  const accessToken = open(deriveKey(sessionKey, "session"), row.access_token_sealed, `session ${hash}`);
  const headers = { authorization: `Bearer ${accessToken}`, "user-agent": userAgent };
  const { user } = (await (await fetch(`${DISCORD_API_URL}/oauth2/@me`, { headers })).json()) as {
    user: object;
  };
  return Response.json(user);
}

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(env.PORT),
  fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/linked-role": {
        const state = secret();
        return depart(discordAuthorize + state, { state });
      }
      case "/discord-oauth-callback":
        return finishDiscordLeg(request);
      case "/dsek-oauth-callback":
        return finishProviderLeg(request);
      case "/result/linked":
        return showResult(request);
      case "/api/userinfo":
        return showUserinfo(request);
      default:
        return new Response(null, { status: 404 });
    }
  },
});
