/** The stand-in for Discord accepts and refuses requests by the rules of Discord. */
import { afterEach, expect, test } from "bun:test";
import { crc32, inflateSync } from "node:zlib";
import {
  ANNA,
  ANNAS_AVATAR,
  api,
  authorizeUrl,
  BO,
  CALLBACK,
  CLIENT,
  discordStandin,
  exchange,
  LINK_SCOPES,
  LOGIN,
  PKCE,
  paramsOf,
  recordsPath,
  refresh,
  roleConnectionPath,
  signIn,
  token,
  tokensOf,
  USER_AGENT,
  VERIFIER,
} from "./client.ts";
import { approveDiscord, createJar, denyDiscord, visit } from "./member.ts";

const MEMBER_RECORD = { type: 7, key: "dsek_member", name: "Member", description: "Is a member" };

const started: { readonly stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((standin) => standin.stop()));
});

test("startDiscord() refuses PKCE with role_connections.write", async () => {
  const discord = start(discordStandin());

  const callback = await approveDiscord(authorizeUrl(discord, { scope: LINK_SCOPES, ...PKCE }), ANNA);

  expect(paramsOf(callback)).toMatchObject({ error: "invalid_scope", state: "the-state" });
});

test("startDiscord() accepts PKCE with identify alone, and verifies it", async () => {
  const discord = start(discordStandin());
  const right = await approveDiscord(authorizeUrl(discord, { scope: "identify", ...PKCE }), ANNA);
  const wrong = await approveDiscord(authorizeUrl(discord, { scope: "identify", ...PKCE }), ANNA);

  const exchanged = await exchange(discord, right, { code_verifier: VERIFIER });
  const refused = await exchange(discord, wrong, { code_verifier: "w".repeat(43) });

  expect(exchanged.status).toBe(200);
  expect(await refused.json()).toMatchObject({ error: "invalid_grant" });
});

test("startDiscord() redirects faults unless the client or its address is unknown", async () => {
  const discord = start(discordStandin());
  const fault = async (params: Record<string, string>) => {
    const response = await visit(authorizeUrl(discord, params), createJar());
    const location = response.headers.get("location");
    return location === null ? response.status : paramsOf(location).error;
  };

  expect(await fault({ client_id: "1" })).toBe(400);
  expect(await fault({ redirect_uri: `${CALLBACK}/` })).toBe(400);
  expect(await fault({ response_type: "token" })).toBe("unsupported_response_type");
  expect(await fault({ scope: "identify everything" })).toBe("invalid_scope");
});

test("startDiscord() sends members back without iss, or with access_denied on Cancel", async () => {
  const discord = start(discordStandin());

  const approved = paramsOf(await approveDiscord(authorizeUrl(discord), ANNA));
  const denied = paramsOf(await denyDiscord(authorizeUrl(discord)));

  expect(Object.keys(approved).sort()).toEqual(["code", "state"]);
  expect(denied).toMatchObject({ error: "access_denied", state: "the-state" });
});

test("startDiscord() takes codes and refresh tokens once, and revokes all together", async () => {
  const discord = start(discordStandin());
  const callback = await approveDiscord(authorizeUrl(discord), ANNA);
  const first = await tokensOf(await exchange(discord, callback));
  const replayed = await exchange(discord, callback);
  const second = await tokensOf(await refresh(discord, first.refresh_token));
  const reused = await refresh(discord, first.refresh_token);

  expect(await replayed.json()).toMatchObject({ error: "invalid_grant" });
  expect(await reused.json()).toMatchObject({ error: "invalid_grant" });
  expect(discord.grants(ANNA)).toBe(3);
  expect((await api(discord, "GET", "/users/@me", first.access_token)).status).toBe(200);

  await token(discord, "/oauth2/token/revoke", { token: first.access_token });

  expect(discord.grants(ANNA)).toBe(0);
  expect((await api(discord, "GET", "/users/@me", second.access_token)).status).toBe(401);
  expect((await refresh(discord, second.refresh_token)).status).toBe(400);
});

test("startDiscord() refuses a wrong secret, a JSON body or a foreign redirect_uri", async () => {
  const discord = start(discordStandin());
  const form = { grant_type: "refresh_token", refresh_token: "x" };
  const url = `${discord.apiUrl}/oauth2/token`;
  const headers = { "user-agent": USER_AGENT };
  const wrongSecret = new URLSearchParams({ ...form, client_id: CLIENT.clientId, client_secret: "wrong" });
  const callback = await approveDiscord(authorizeUrl(discord), ANNA);

  const wrong = await fetch(url, { method: "POST", headers, body: wrongSecret });
  const json = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: "{}",
  });
  const foreign = await exchange(discord, callback, { redirect_uri: `${CALLBACK}/2` });

  expect([wrong.status, await wrong.json()]).toEqual([401, { error: "invalid_client" }]);
  expect(await json.json()).toMatchObject({ error: "invalid_request" });
  expect(await foreign.json()).toMatchObject({ error: "invalid_grant" });
});

test("startDiscord() blocks a wrong User-Agent, and reports unknown routes", async () => {
  const discord = start(discordStandin());

  const blocked = await fetch(`${discord.apiUrl}/users/@me`, { headers: { "user-agent": "Bun" } });
  const unknown = await api(discord, "GET", "/gateway", "x");

  expect([blocked.status, blocked.headers.get("content-type")]).toEqual([403, "text/html; charset=UTF-8"]);
  expect(unknown.status).toBe(404);
  expect(discord.unexpected).toEqual(["GET /api/v10/gateway"]);
  expect(discord.calls).toEqual([]);
});

test("startDiscord() enforces the limits of role connections and metadata records", async () => {
  const discord = start(discordStandin());
  const accessToken = await signIn(discord, ANNA);
  const put = async (body: unknown) =>
    (await api(discord, "PUT", roleConnectionPath, accessToken, JSON.stringify(body))).status;
  const record = async (...records: object[]) =>
    (await api(discord, "PUT", recordsPath, "bot-token", JSON.stringify(records), "Bot")).status;
  const six = Object.fromEntries([..."abcdef"].map((key) => [key, "1"]));

  expect(await put({ platform_name: "n".repeat(50), platform_username: null, metadata: { a: "1" } })).toBe(
    200,
  );
  expect(await put({ platform_name: "n".repeat(51) })).toBe(400);
  expect(await put({ platform_username: "n".repeat(101) })).toBe(400);
  for (const metadata of [six, { a: 1 }, { a: "" }, { a: "1".repeat(101) }, { "A-b": "1" }, { a: false }]) {
    expect(await put({ metadata })).toBe(400);
  }
  expect(await record(MEMBER_RECORD)).toBe(200);
  expect(await record(MEMBER_RECORD, MEMBER_RECORD)).toBe(400);
  expect(await record({ ...MEMBER_RECORD, type: 9 })).toBe(400);
  expect(await record({ ...MEMBER_RECORD, description: "" })).toBe(400);
});

test('startDiscord() matches only "1", and checks a token\'s scope, client and expiry', async () => {
  const discord = start(discordStandin());
  const accessToken = await signIn(discord, ANNA);
  const identified = await signIn(discord, BO, "identify");
  const push = (value: unknown) =>
    api(
      discord,
      "PUT",
      roleConnectionPath,
      accessToken,
      JSON.stringify({ metadata: { dsek_member: value } }),
    );
  await api(discord, "PUT", recordsPath, "bot-token", JSON.stringify([MEMBER_RECORD]), "Bot");

  for (const [value, matches] of [
    ["1", true],
    [true, false],
    ["0", false],
  ] as const) {
    expect((await push(value)).status).toBe(200);
    expect(discord.matches(ANNA)).toBe(matches);
  }
  expect((await api(discord, "PUT", roleConnectionPath, identified, "{}")).status).toBe(403);
  expect(
    (await api(discord, "PUT", roleConnectionPath.replace(CLIENT.clientId, "1"), accessToken, "{}")).status,
  ).toBe(404);
  expect((await api(discord, "DELETE", roleConnectionPath, accessToken)).status).toBe(204);
  expect(discord.roleConnection(ANNA)).toBeUndefined();
  discord.expireAccessTokens(ANNA);
  expect((await api(discord, "GET", "/oauth2/@me", accessToken)).status).toBe(401);
  expect(await (await fetch(`${discord.url}/app`)).text()).toContain("Anna &lt;3");
});

test("startDiscord() gives the role on Link, and takes it when it no longer matches", async () => {
  const discord = start(discordStandin());
  const accessToken = await signIn(discord, ANNA);
  const push = (value: string) =>
    api(
      discord,
      "PUT",
      roleConnectionPath,
      accessToken,
      JSON.stringify({ metadata: { dsek_member: value } }),
    );
  const press = async () => (await visit(`${discord.url}/app/link`, createJar(), { user_id: ANNA })).status;
  await api(discord, "PUT", recordsPath, "bot-token", JSON.stringify([MEMBER_RECORD]), "Bot");

  expect([await press(), discord.hasRole(ANNA)]).toEqual([400, false]);
  await push("1");
  expect(discord.hasRole(ANNA)).toBe(false);
  expect([await press(), discord.hasRole(ANNA)]).toEqual([303, true]);
  await push("0");
  await push("1");
  expect(discord.hasRole(ANNA)).toBe(false);
});

test("startDiscord() shows its page despite prompt=none, and requires the verifier", async () => {
  const discord = start(discordStandin());
  const login = { scope: "identify", redirect_uri: LOGIN, prompt: "none", ...PKCE };

  const callbacks = [
    await approveDiscord(authorizeUrl(discord, login), ANNA),
    await approveDiscord(authorizeUrl(discord, login), ANNA),
  ];
  const exchanged = await Promise.all(
    callbacks.map((callback) =>
      exchange(discord, callback, { redirect_uri: LOGIN, code_verifier: VERIFIER }),
    ),
  );
  const unproven = await approveDiscord(authorizeUrl(discord, login), ANNA);

  for (const callback of callbacks) expect(callback).toStartWith(`${LOGIN}?`);
  for (const response of exchanged) expect(await response.json()).toMatchObject({ scope: "identify" });
  expect((await exchange(discord, unproven, { redirect_uri: LOGIN })).status).toBe(400);
});

test("startDiscord() keeps the scope of a login's tokens through every refresh", async () => {
  const discord = start(discordStandin());
  const login = await logIn(discord);

  const refreshed = await tokensOf(await refresh(discord, login.refresh_token));
  const again = await refresh(discord, refreshed.refresh_token);

  expect(await again.json()).toMatchObject({ scope: "identify" });
  for (const accessToken of [login.access_token, refreshed.access_token]) {
    expect((await api(discord, "GET", "/users/@me", accessToken)).status).toBe(200);
    for (const [method, body] of [["GET"], ["DELETE"], ["PUT", "{}"]] as const) {
      const refused = await api(discord, method, roleConnectionPath, accessToken, body);
      expect([refused.status, await refused.json()]).toEqual([
        403,
        { message: "Missing required OAuth2 scope", code: 50026 },
      ]);
    }
  }
  expect(discord.calls.filter(({ operation }) => operation === "token_refresh")).toHaveLength(2);
});

test("startDiscord() expires one token alone, and ends logins with a revoked link", async () => {
  const discord = start(discordStandin());
  const linkToken = await signIn(discord, ANNA);
  const login = await logIn(discord);
  const other = await signIn(discord, BO);
  const statuses = () =>
    Promise.all(
      [linkToken, login.access_token, other].map(
        async (secret) => (await api(discord, "GET", "/users/@me", secret)).status,
      ),
    );

  expect(discord.tokens(ANNA)).toMatchObject([
    { kind: "access", token: linkToken, scopes: LINK_SCOPES.split(" ") },
    { kind: "access", token: login.access_token, scopes: ["identify"] },
    { kind: "refresh", scopes: LINK_SCOPES.split(" ") },
    { kind: "refresh", token: login.refresh_token, scopes: ["identify"] },
  ]);
  discord.expireAccessToken(login.access_token);
  expect(await statuses()).toEqual([200, 401, 200]);
  const refreshed = await tokensOf(await refresh(discord, login.refresh_token));

  await token(discord, "/oauth2/token/revoke", { token: linkToken });

  expect(await statuses()).toEqual([401, 401, 200]);
  expect((await api(discord, "GET", "/users/@me", refreshed.access_token)).status).toBe(401);
  expect(await (await refresh(discord, refreshed.refresh_token)).json()).toMatchObject({
    error: "invalid_grant",
  });
  expect(discord.tokens(ANNA)).toEqual([]);
});

test("startDiscord() gives the avatar of a user, or null", async () => {
  const discord = start(discordStandin());
  const users = async (userId: string) => {
    const secret = await signIn(discord, userId, "identify");
    const authorization = await (await api(discord, "GET", "/oauth2/@me", secret)).json();
    return [authorization.user, await (await api(discord, "GET", "/users/@me", secret)).json()];
  };

  const [annas, bos] = [await users(ANNA), await users(BO)];

  const anna = { id: ANNA, username: "anna", global_name: "Anna <3", discriminator: "0" };
  for (const user of annas) expect(user).toMatchObject({ ...anna, avatar: ANNAS_AVATAR });
  for (const user of bos) expect(user).toMatchObject({ id: BO, global_name: null, avatar: null });
});

test("startDiscord() serves avatars like the CDN of Discord", async () => {
  const discord = start(discordStandin());
  const picture = async (path: string) => {
    const response = await fetch(`${discord.cdnUrl}${path}`);
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      png: await response.bytes(),
    };
  };
  const own = `/avatars/${ANNA}/${ANNAS_AVATAR}.png`;
  const defaults = [0, 1, 2, 3, 4, 5].map((index) => `/embed/avatars/${index}.png`);

  const pictures = await Promise.all([own, ...defaults].map(picture));
  const again = await picture(`${own}?size=128`);

  for (const { status, type, png } of pictures) {
    expect([status, type]).toEqual([200, "image/png"]);
    expect(readPng(png)).toEqual({ width: 64, height: 64, bytes: 64 * 9 });
  }
  expect(new Set(pictures.map(({ png }) => png.toHex())).size).toBe(7);
  expect(again.png.toHex()).toBe(pictures[0]?.png.toHex() ?? "");
  expect((await picture(`${own}?size=100`)).status).toBe(400);
  expect(discord.unexpected).toEqual([]);
  const missing = ["/embed/avatars/6.png", `/avatars/${BO}/${ANNAS_AVATAR}.png`, `/avatars/${BO}/null.png`];
  for (const path of missing) expect((await picture(path)).status).toBe(404);
  expect(discord.unexpected).toEqual(missing.map((path) => `GET ${path}`));
  expect(await (await fetch(`${discord.url}/app`)).text()).toContain(`src="${own}"`);
});

/** Signs Anna in for a login: `identify` alone. */
async function logIn(discord: ReturnType<typeof discordStandin>) {
  return await tokensOf(
    await exchange(discord, await approveDiscord(authorizeUrl(discord, { scope: "identify" }), ANNA)),
  );
}

/** Every chunk is read by its length and held to its checksum. */
function readPng(png: Uint8Array) {
  const bytes = Buffer.from(png);
  expect(bytes.toString("latin1", 0, 8)).toBe("\x89PNG\r\n\x1a\n");
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    chunks.set(bytes.toString("latin1", at + 4, at + 8), bytes.subarray(at + 8, end));
    expect(bytes.readUInt32BE(end)).toBe(crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  const header = chunks.get("IHDR");
  expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
  return {
    width: header?.readUInt32BE(0),
    height: header?.readUInt32BE(4),
    bytes: inflateSync(chunks.get("IDAT") ?? Buffer.of()).length,
  };
}

function start<Standin extends { readonly stop: () => Promise<void> }>(standin: Standin): Standin {
  started.push(standin);
  return standin;
}
