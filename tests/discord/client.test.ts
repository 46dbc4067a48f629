/** Discord's side: what is sent, what is sent again and what never, and what each answer is taken for. */
import { afterEach, describe, expect, test } from "bun:test";
import { createDiscordUrls } from "../../lib/discord/authorization_request.ts";
import { createDiscord } from "../../lib/discord/client.ts";
import { putMetadataRecords } from "../../lib/discord/metadata_records.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { rejection } from "../harness/rejection.ts";
import { useStillTime } from "../harness/still_time.ts";
import type { DiscordOperation } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { Behaviour } from "../standins/faults.ts";
import { approveDiscord } from "../standins/member.ts";

const PUBLIC_URL = "http://127.0.0.1:9";
const CALLBACK = `${PUBLIC_URL}/discord-oauth-callback`;
const CLIENT = { clientId: "1111111111111111111", clientSecret: "canary-secret:/+ %" };
const BOT_TOKEN = "canary-bot-token";
const ANNA = { id: "200000000000000001", username: "anna_d", globalName: "Anna" };
const BO = { id: "200000000000000002", username: "bo_d", globalName: null };
const ROLE_CONNECTION = { platform_name: "D-sektionen", metadata: { dsek_member: "1" } };
/** What a call may take. */
const DEADLINE_MS = 5_000;

const started: { readonly stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((standin) => standin.stop()));
});

const time = useStillTime();

/** The client with a Discord, every request that it sends, and every wait that it asks for. */
function startBoth() {
  const standin = startDiscord({
    ...CLIENT,
    botToken: BOT_TOKEN,
    redirectUris: [CALLBACK],
    users: [ANNA, BO],
  });
  started.push(standin);
  const sent: {
    readonly method: string;
    readonly path: string;
    readonly headers: Headers;
    readonly body: string;
  }[] = [];
  const waits: number[] = [];
  const logLines: string[] = [];
  const now = () => new Date("2031-05-06T07:08:09Z");
  const options = {
    ...CLIENT,
    apiUrl: standin.apiUrl,
    authorizeUrl: standin.authorizeUrl,
    cdnUrl: "https://cdn.example.org",
    publicUrl: PUBLIC_URL,
    version: "0.0.0-test",
    fetch: (url: string, init: RequestInit) => {
      const { method = "GET", headers, body } = init;
      const path = url.replace(standin.apiUrl, "");
      sent.push({ method, path, headers: new Headers(headers), body: String(body ?? "") });
      return fetch(url, init);
    },
    log: createLog("debug", (line) => void logLines.push(line), now),
    now,
    sleep: async (ms: number) => void waits.push(ms),
  };
  const discord = createDiscord(options)({});
  const urls = createDiscordUrls(options);
  const reachCode = async (authorizationUrl = urls.authorizationUrl("the-state"), userId = ANNA.id) =>
    new URL(await approveDiscord(authorizationUrl, userId)).searchParams.get("code") ?? "";
  const signIn = async () => discord.exchangeCode(await reachCode());
  const callsOf = (operation: DiscordOperation) =>
    standin.calls.filter((call) => call.operation === operation).length;
  return { standin, discord, urls, options, sent, waits, logLines, reachCode, signIn, callsOf };
}
type Both = ReturnType<typeof startBoth>;

/** What may be repeated: asking, putting, clearing. */
const REPEATABLE = [
  ["get_current_authorization", ({ discord }: Both, token: string) => discord.findCurrentUser(token)],
  [
    "put_role_connection",
    ({ discord }: Both, token: string) => discord.putRoleConnection(token, ROLE_CONNECTION),
  ],
  ["delete_role_connection", ({ discord }: Both, token: string) => discord.deleteRoleConnection(token)],
  ["put_metadata", ({ options }: Both) => putMetadataRecords(options, BOT_TOKEN, DEFAULT_RECORDS)],
] as const;

/** What is used up by being sent, or might be. */
const ONCE_ONLY = [
  ["token_code", ({ discord }: Both) => discord.exchangeCode("a-code")],
  ["token_refresh", ({ discord }: Both) => discord.refreshTokens("a-refresh-token")],
  ["revoke", ({ discord }: Both) => discord.revokeGrant("a-refresh-token")],
] as const;

describe("authorizationUrl()", () => {
  test("asks for both scopes and consent, without PKCE", async () => {
    const { urls, standin, reachCode } = startBoth();

    const url = new URL(urls.authorizationUrl("the-state"));

    expect(`${url.origin}${url.pathname}`).toBe(standin.authorizeUrl);
    expect([...url.searchParams].sort()).toEqual([
      ["client_id", CLIENT.clientId],
      ["prompt", "consent"],
      ["redirect_uri", CALLBACK],
      ["response_type", "code"],
      ["scope", "identify role_connections.write"],
      ["state", "the-state"],
    ]);
    expect(await reachCode()).not.toBe("");
  });

  test("has the state that it is given", () => {
    const { urls } = startBoth();

    const states = ["one", "two"].map((state) =>
      new URL(urls.authorizationUrl(state)).searchParams.getAll("state"),
    );

    expect(states).toEqual([["one"], ["two"]]);
  });
});

describe("every call", () => {
  test("has the User-Agent that Discord demands", async () => {
    const both = startBoth();
    const { accessToken, refreshToken } = await both.signIn();
    for (const [, call] of REPEATABLE) await call(both, accessToken);
    const { refreshToken: second } = await both.discord.refreshTokens(refreshToken);
    await both.discord.revokeGrant(second);

    const agents = both.sent.map(({ headers }) => headers.get("user-agent"));
    expect(agents).toEqual(Array(7).fill("DiscordBot (http://127.0.0.1:9, 0.0.0-test)"));
    expect(both.standin.calls).toHaveLength(7);
    expect(both.standin.unexpected).toEqual([]);
  });

  test("is logged with its host, without secrets or path", async () => {
    const both = startBoth();
    const code = await both.reachCode();
    const { accessToken, refreshToken } = await both.discord.exchangeCode(code);
    for (const [, call] of REPEATABLE) await call(both, accessToken);
    await both.discord.revokeGrant(refreshToken);

    const log = both.logLines.join("");
    expect(both.logLines).toHaveLength(6);
    for (const secret of [
      code,
      accessToken,
      refreshToken,
      CLIENT.clientSecret,
      BOT_TOKEN,
      "/api",
      "/oauth2",
    ]) {
      expect(log).not.toContain(secret);
    }
    const { host } = new URL(both.standin.apiUrl);
    for (const line of both.logLines)
      expect(JSON.parse(line)).toMatchObject({ upstream: "discord", host, retries: 0 });
  });

  test.each([...REPEATABLE, ...ONCE_ONLY])("does not follow a redirect of %s", async (operation, call) => {
    const both = startBoth();
    both.standin.failNext(operation, "redirect", 3);

    expect((await rejection(call(both, "t"))).code).toBe("discord_unavailable");
    expect(both.standin.unexpected).toEqual([]);
  });
});

describe.each(REPEATABLE)("the call %s", (operation, call) => {
  const prepare = async () => {
    const both = startBoth();
    const { accessToken } = await both.signIn();
    return { both, attempt: () => call(both, accessToken) };
  };

  test.each([
    ["500", { status: 500, body: { message: "500: Internal Server Error", code: 0 } }],
    ["502 in HTML", { status: 502, body: "<h1>Bad gateway</h1>" }],
    ["503", { status: 503 }],
    ["504", { status: 504 }],
  ] as const)("succeeds after %s twice", async (_, behaviour) => {
    const { both, attempt } = await prepare();
    both.standin.failNext(operation, behaviour, 2);

    await attempt();

    expect(both.callsOf(operation)).toBe(3);
    expect(both.waits).toHaveLength(2);
    expect(both.waits[0]).toBeWithin(250, 500);
    expect(both.waits[1]).toBeWithin(500, 750);
  });

  test("is given up after three tries", async () => {
    const { both, attempt } = await prepare();
    both.standin.failNext(operation, { status: 500 }, 10);

    const error = await rejection(attempt());

    expect([error.code, error.status]).toEqual(["discord_unavailable", 503]);
    expect(both.callsOf(operation)).toBe(3);
    expect(both.waits).toHaveLength(2);
  });

  test("is repeated after hang, break and redirect", async () => {
    const { both, attempt } = await prepare();
    both.standin.failNext(operation, "hang");
    both.standin.failNext(operation, "redirect");

    await attempt();

    expect(both.callsOf(operation)).toBe(3);
    expect(both.standin.unexpected).toEqual([]);
  });

  test.each([
    [
      "the header",
      { "retry-after": "1" },
      { message: "You are being rate limited.", retry_after: 3.3, global: false },
      1,
    ],
    ["the header, 5 s", { "retry-after": "5" }, {}, 5],
    ["a header in fractions", { "retry-after": "1.2" }, {}, 2],
    ["the body", {}, { message: "You are being rate limited.", retry_after: 1.336, global: true }, 2],
  ] as const)("waits as long as %s says", async (_, headers, body, seconds) => {
    const { both, attempt } = await prepare();
    both.standin.failNext(operation, { status: 429, headers, body });

    await attempt();

    expect(both.callsOf(operation)).toBe(2);
    expect(both.waits).toHaveLength(1);
    expect(both.waits[0]).toBeWithin(seconds * 1_000, seconds * 1_000 + 250);
  });

  test("waits a moment even when a 429 says 0", async () => {
    const { both, attempt } = await prepare();
    both.standin.failNext(operation, {
      status: 429,
      headers: { "retry-after": "0" },
      body: { retry_after: 0 },
    });

    await attempt();

    expect(both.waits[0]).toBeGreaterThanOrEqual(250);
  });

  test.each([
    ["over the cap in the header", { "retry-after": "6" }, {}, 6],
    ["an hour in the header", { "retry-after": "3600" }, {}, 3_600],
    ["a day in the header", { "retry-after": "86400" }, {}, 3_600],
    ["over the cap in the body", {}, { retry_after: 64.57 }, 65],
    ["a day in the body", {}, { retry_after: 86_400 }, 3_600],
    ["beyond measure in the body", {}, { retry_after: 1e300 }, 3_600],
    ["a text in the body", {}, { retry_after: "soon" }, 60],
    ["negative in the body", {}, { retry_after: -1 }, 60],
    ["a date in the header", { "retry-after": "Fri, 31 Dec 1999 23:59:59 GMT" }, {}, 60],
    ["Cloudflare's page", {}, "<!doctype html><body>error code: 1015</body>", 60],
  ] as const)("stops at a 429 %s", async (_, headers, body, seconds) => {
    const { both, attempt } = await prepare();
    both.standin.failNext(operation, { status: 429, headers, body });

    const error = await rejection(attempt());

    expect({ code: error.code, status: error.status, after: error.retryAfterSeconds }).toEqual({
      code: "discord_rate_limited",
      status: 503,
      after: seconds,
    });
    expect(both.callsOf(operation)).toBe(1);
    expect(both.waits).toEqual([]);
  });

  test("is discord_rate_limited after three 429s", async () => {
    const { both, attempt } = await prepare();
    for (const wait of ["1", "2", "3"])
      both.standin.failNext(operation, { status: 429, headers: { "retry-after": wait } });

    const error = await rejection(attempt());

    expect([error.code, error.retryAfterSeconds]).toEqual(["discord_rate_limited", 3]);
    expect(error.message).toBe(`${operation}: answered 429, asking for a wait of 3 seconds`);
    expect(both.callsOf(operation)).toBe(3);
  });

  test("heeds a 503's Retry-After, within the cap", async () => {
    const short = await prepare();
    short.both.standin.failNext(operation, { status: 503, headers: { "retry-after": "3" } });
    const long = await prepare();
    long.both.standin.failNext(operation, { status: 503, headers: { "retry-after": "60" } });

    await short.attempt();
    const error = await rejection(long.attempt());

    expect(short.both.waits[0]).toBeWithin(3_000, 3_250);
    expect([error.code, error.retryAfterSeconds]).toEqual(["discord_unavailable", 60]);
    expect(long.both.callsOf(operation)).toBe(1);
  });

  test.each([
    [401, "grant_ended"],
    [400, "discord_refused"],
    [403, "discord_refused"],
    [405, "discord_refused"],
    [413, "discord_refused"],
  ] as const)("stops at %d and throws %s", async (status, code) => {
    const { both, attempt } = await prepare();
    both.standin.failNext(operation, { status, body: { message: `${status}: canary-message`, code: 0 } });

    const error = await rejection(attempt());

    expect(error.code).toBe(code);
    expect(error.message).not.toContain("canary");
    expect(both.callsOf(operation)).toBe(1);
    expect(both.waits).toEqual([]);
  });
});

test("putRoleConnection() gives up after three deadlines", async () => {
  const both = startBoth();
  both.standin.failNext("put_role_connection", "hang", 3);

  const error = await rejection(both.discord.putRoleConnection("t", ROLE_CONNECTION));

  expect(error.code).toBe("discord_unavailable");
  expect(time.passedMs()).toBe(3 * DEADLINE_MS);
  expect(both.callsOf("put_role_connection")).toBe(3);
});

describe.each(ONCE_ONLY)("the request %s", (operation, call) => {
  test.each([
    ["500", { status: 500 }],
    ["503 in HTML", { status: 503, body: "<h1>Down</h1>" }],
    ["429", { status: 429, headers: { "retry-after": "1" }, body: { retry_after: 1 } }],
    ["403 in HTML", { status: 403, body: "error code: 1010" }],
    ["404", { status: 404, body: { message: "404: Not Found", code: 0 } }],
    ["a dropped connection", "drop"],
    ["an answer that is lost", "lost"],
    ["a hang", "hang"],
    ["a trickle", "trickle"],
    ["a body without end", "huge"],
  ] satisfies (readonly [string, Behaviour])[])("is not repeated after %s", async (_, behaviour) => {
    const both = startBoth();
    // A connection that was used before is where fetch might try again by itself.
    await call(both).catch(() => undefined);
    both.standin.failNext(operation, behaviour);

    const error = await rejection(call(both));

    expect(error.code).toBe("discord_unavailable");
    expect(both.callsOf(operation)).toBe(2);
    expect(both.waits).toEqual([]);
  });

  test("is discord_client_rejected for an unknown client", async () => {
    const both = startBoth();
    const wrong = createDiscord({ ...both.options, clientSecret: "another" })({});

    const error = await rejection(call({ ...both, discord: wrong }));

    expect([error.code, error.status]).toEqual(["discord_client_rejected", 502]);
  });
});

describe("exchangeCode()", () => {
  test("gives tokens with an absolute expiry", async () => {
    const { discord, reachCode, sent, standin } = startBoth();
    const code = await reachCode();

    const tokens = await discord.exchangeCode(code);

    expect(tokens).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      scope: "identify role_connections.write",
      expiresAt: new Date("2031-05-13T07:08:09Z"),
    });
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /oauth2/token"]);
    expect(Object.fromEntries(new URLSearchParams(sent[0]?.body))).toEqual({
      grant_type: "authorization_code",
      code,
      redirect_uri: CALLBACK,
    });
    expect(standin.grants(ANNA.id)).toBe(2);
    expect((await rejection(discord.exchangeCode(code))).code).toBe("code_rejected");
  });

  test.each([
    ["refresh_token", { access_token: "a", token_type: "Bearer", expires_in: 1, scope: "" }],
    ["expires_in", { access_token: "a", token_type: "Bearer", refresh_token: "r", scope: "" }],
    ["access_token", { token_type: "Bearer", refresh_token: "r", expires_in: 1, scope: "" }],
    ["token_type", { access_token: "a", refresh_token: "r", expires_in: 1, scope: "" }],
    [
      "refresh_token but an empty one",
      { access_token: "a", token_type: "Bearer", refresh_token: "", expires_in: 1 },
    ],
    ["a sane expires_in", { access_token: "a", token_type: "Bearer", refresh_token: "r", expires_in: -1 }],
  ])("fails for an answer without %s", async (_, body) => {
    const { discord, standin } = startBoth();
    standin.failNext("token_code", { status: 200, body });

    expect((await rejection(discord.exchangeCode("c"))).code).toBe("discord_unavailable");
  });

  test.each([1e12, "1000000000000", 604_800.5])(
    "accepts an answer whose expires_in is %j",
    async (expires_in) => {
      const { discord, standin } = startBoth();
      const body = { access_token: "a", token_type: "Bearer", refresh_token: "r", expires_in, scope: "" };
      standin.failNext("token_code", { status: 200, body });

      const tokens = await discord.exchangeCode("c");

      expect(tokens.expiresAt.getTime()).not.toBeNaN();
      // An empty scope says nothing: what was asked for is granted. RFC 6749 5.1
      expect(tokens.scope).toBe("identify role_connections.write");
    },
  );
});

describe("exchangeCode() of Discord", () => {
  // RFC 6749 3.3: printable ASCII. PostgreSQL takes no NUL, so nothing else is stored; /oauth2/@me has the scopes that count.
  test.each([["identify\0"], ["identify\n"], ["\ud800"], [["identify"]], [5], [null], [{}]])(
    "takes a scope of %j for the one asked",
    async (scope) => {
      const { discord, standin } = startBoth();
      const body = { access_token: "a", token_type: "Bearer", refresh_token: "r", expires_in: 1, scope };
      standin.failNext("token_code", { status: 200, body });

      expect((await discord.exchangeCode("c")).scope).toBe("identify role_connections.write");
    },
  );
});

describe("refreshTokens()", () => {
  test("spends the refresh token and gives a new pair", async () => {
    const { discord, signIn } = startBoth();
    const first = await signIn();

    const second = await discord.refreshTokens(first.refreshToken);

    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect((await discord.findCurrentUser(second.accessToken)).discordUserId).toBe(ANNA.id);
    expect((await rejection(discord.refreshTokens(first.refreshToken))).code).toBe("grant_ended");
  });

  test.each([
    ["server_error", "discord_unavailable"],
    ["temporarily_unavailable", "discord_unavailable"],
    ["invalid_client", "discord_client_rejected"],
    ["unauthorized_client", "discord_client_rejected"],
    ["invalid_grant", "grant_ended"],
  ] as const)("takes 400 %s for %s", async (error, code) => {
    const { discord, standin } = startBoth();
    standin.failNext("token_refresh", { status: 400, body: { error } });

    expect((await rejection(discord.refreshTokens("r"))).code).toBe(code);
  });

  test("keeps the endpoint's answer as the cause of grant_ended", async () => {
    const { discord, standin } = startBoth();
    standin.failNext("token_refresh", { status: 400, body: { error: "invalid_grant" } });

    const { cause } = await rejection(discord.refreshTokens("r"));

    expect(cause).toMatchObject({
      code: "code_rejected",
      message: "token_refresh: answered 400 invalid_grant",
    });
  });
});

describe("revokeGrant()", () => {
  test("ends the whole grant", async () => {
    const { discord, signIn, standin } = startBoth();
    const { refreshToken } = await signIn();

    await discord.revokeGrant(refreshToken);

    expect(standin.grants(ANNA.id)).toBe(0);
  });

  test("succeeds if the grant has ended before", async () => {
    const { discord, signIn, standin } = startBoth();
    const { refreshToken } = await signIn();
    standin.endGrant(ANNA.id);

    await discord.revokeGrant(refreshToken);

    expect(standin.calls.at(-1)?.operation).toBe("revoke");
  });
});

describe("findCurrentUser()", () => {
  const grantOf = async (both: Both, scope: string) => {
    const url = new URL(both.urls.authorizationUrl("s"));
    url.searchParams.set("scope", scope);
    return both.discord.exchangeCode(await both.reachCode(url.href));
  };
  const AUTHORIZATION = {
    application: { id: CLIENT.clientId },
    scopes: ["identify", "role_connections.write"],
    user: { id: ANNA.id, username: "anna_d", global_name: "Anna" },
  };
  const answering = async (body: unknown) => {
    const { discord, standin } = startBoth();
    standin.failNext("get_current_authorization", { status: 200, body }, 3);
    return discord.findCurrentUser("t");
  };

  test.each([
    ["with a display name", ANNA, "Anna"],
    ["without a display name", BO, null],
  ])("gives the user %s whose token it is", async (_, { id, username }, globalName) => {
    const { discord, reachCode } = startBoth();
    const { accessToken } = await discord.exchangeCode(await reachCode(undefined, id));

    expect(await discord.findCurrentUser(accessToken)).toMatchObject({
      discordUserId: id,
      username,
      globalName,
    });
  });

  test.each([
    ["the avatar that the user chose", "1234", "avatars/1234/a_b1.png?size=128", "a_b1"],
    ["a default avatar for a user who chose none", "200000000000000001", "embed/avatars/0.png", null],
    ["a default avatar by the snowflake", "175928847299117063", "embed/avatars/2.png", null],
  ])("gives the URL of %s", async (_, id, path, avatar) => {
    const user = { ...AUTHORIZATION.user, id, avatar };

    const { avatarUrl } = await answering({ ...AUTHORIZATION, user });

    expect(avatarUrl).toBe(`https://cdn.example.org/${path}`);
  });

  test.each(["identify", "role_connections.write", "guilds"])(
    "throws scope_missing for a grant of %s",
    async (scope) => {
      const both = startBoth();
      const { accessToken } = await grantOf(both, scope);

      const error = await rejection(both.discord.findCurrentUser(accessToken));

      expect([error.code, error.status]).toEqual(["scope_missing", 400]);
    },
  );

  test("refuses a token of another application", async () => {
    const body = { ...AUTHORIZATION, application: { id: "3333333333333333333" } };

    expect((await rejection(answering(body))).code).toBe("discord_refused");
  });

  test("throws grant_ended for a token that Discord does not know", async () => {
    const { discord, callsOf } = startBoth();

    expect((await rejection(discord.findCurrentUser("nobody's"))).code).toBe("grant_ended");
    expect(callsOf("get_current_authorization")).toBe(1);
  });

  test.each([
    ["HTML", "<h1>Discord</h1>"],
    ["null", "null"],
    ["an array", []],
    ["an empty object", {}],
    ["no application", { ...AUTHORIZATION, application: undefined }],
    ["scopes as a text", { ...AUTHORIZATION, scopes: "identify role_connections.write" }],
    ["no user", { ...AUTHORIZATION, user: undefined }],
    ["a user id that is a number", { ...AUTHORIZATION, user: { ...AUTHORIZATION.user, id: 200_000_000 } }],
    ["a user id that is a path", { ...AUTHORIZATION, user: { ...AUTHORIZATION.user, id: "../1" } }],
    ["an empty user id", { ...AUTHORIZATION, user: { ...AUTHORIZATION.user, id: "" } }],
    ["a user id with a line feed", { ...AUTHORIZATION, user: { ...AUTHORIZATION.user, id: "1\n" } }],
    ["a user id of 21 digits", { ...AUTHORIZATION, user: { ...AUTHORIZATION.user, id: "1".repeat(21) } }],
    ["no username", { ...AUTHORIZATION, user: { id: ANNA.id } }],
    ["a username that is an object", { ...AUTHORIZATION, user: { ...AUTHORIZATION.user, username: {} } }],
    [
      "a username without end",
      { ...AUTHORIZATION, user: { ...AUTHORIZATION.user, username: "u".repeat(201) } },
    ],
  ])("takes %s for unavailable", async (_, body) => {
    expect((await rejection(answering(body))).code).toBe("discord_unavailable");
  });

  test("gives storable names, without NUL or half characters", async () => {
    const user = { id: ANNA.id, username: "a\0n\ud800na", global_name: "\udc00🐈\0" };

    expect(await answering({ ...AUTHORIZATION, user })).toMatchObject({
      discordUserId: ANNA.id,
      username: "an\ufffdna",
      globalName: "\ufffd🐈",
    });
  });

  test("gives null for an absent global_name", async () => {
    const user = { id: ANNA.id, username: "anna_d" };

    expect((await answering({ ...AUTHORIZATION, user })).globalName).toBeNull();
  });
});

describe("putRoleConnection()", () => {
  test("holds until deleteRoleConnection()", async () => {
    const { discord, signIn, standin } = startBoth();
    const { accessToken } = await signIn();

    await discord.putRoleConnection(accessToken, { ...ROLE_CONNECTION, platform_username: "anna å" });
    const put = standin.roleConnection(ANNA.id);
    await discord.deleteRoleConnection(accessToken);

    expect(put).toEqual({ ...ROLE_CONNECTION, platform_username: "anna å" });
    expect(standin.roleConnection(ANNA.id)).toBeUndefined();
  });

  test("throws discord_refused past Discord's limits", async () => {
    const { discord, signIn, callsOf } = startBoth();
    const { accessToken } = await signIn();

    const error = await rejection(
      discord.putRoleConnection(accessToken, { platform_name: "n".repeat(51), metadata: {} }),
    );

    expect(error.code).toBe("discord_refused");
    expect(callsOf("put_role_connection")).toBe(1);
  });

  test("throws on a 404, which deleteRoleConnection() accepts", async () => {
    const { discord, signIn, standin, callsOf } = startBoth();
    const { accessToken } = await signIn();
    standin.failNext("delete_role_connection", {
      status: 404,
      body: { message: "Unknown Application", code: 10_002 },
    });
    standin.failNext("put_role_connection", {
      status: 404,
      body: { message: "Unknown Application", code: 10_002 },
    });

    await discord.deleteRoleConnection(accessToken);
    const error = await rejection(discord.putRoleConnection(accessToken, ROLE_CONNECTION));

    expect(error.code).toBe("discord_refused");
    expect([callsOf("delete_role_connection"), callsOf("put_role_connection")]).toEqual([1, 1]);
  });

  test("is repeated after a lost answer", async () => {
    const { discord, signIn, standin } = startBoth();
    const { accessToken } = await signIn();
    standin.failNext("put_role_connection", "lost", 2);

    await discord.putRoleConnection(accessToken, ROLE_CONNECTION);

    expect(standin.roleConnection(ANNA.id)?.metadata).toEqual({ dsek_member: "1" });
  });
});

describe("putMetadataRecords()", () => {
  test("puts records that a role can ask for", async () => {
    const { discord, options, signIn, standin, sent } = startBoth();

    await putMetadataRecords(options, BOT_TOKEN, DEFAULT_RECORDS);

    expect(standin.records()).toEqual(DEFAULT_RECORDS);
    expect(sent[0]).toMatchObject({
      method: "PUT",
      path: `/applications/${CLIENT.clientId}/role-connections/metadata`,
    });
    expect(sent[0]?.headers.get("authorization")).toBe(`Bot ${BOT_TOKEN}`);
    await discord.putRoleConnection((await signIn()).accessToken, ROLE_CONNECTION);
    expect(standin.matches(ANNA.id)).toBe(true);
  });

  test.each([
    ["grant_ended for a wrong bot token", { botToken: "another" }, "grant_ended"],
    ["discord_refused for another application", { clientId: "3333333333333333333" }, "discord_refused"],
  ] as const)("throws %s", async (_, change, code) => {
    const { options, callsOf } = startBoth();
    const { botToken, ...others } = { botToken: BOT_TOKEN, ...change };

    expect(
      (await rejection(putMetadataRecords({ ...options, ...others }, botToken, DEFAULT_RECORDS))).code,
    ).toBe(code);
    expect(callsOf("put_metadata")).toBe(1);
  });
});
