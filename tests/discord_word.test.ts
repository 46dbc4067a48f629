/** Which answers are Discord's word, and which come from something between Discord and Janus. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { createDiscord, putMetadataRecords } from "../lib/discord/discord.ts";
import { NO_LOG } from "../lib/log.ts";
import { METADATA_RECORDS } from "../lib/metadata.ts";
import { createTestDatabase, emptyDatabase, type TestDatabase } from "./harness/database.ts";
import { createBrowser, lastCode, startJanusWithForger } from "./harness/janus.ts";
import { rejection } from "./harness/rejection.ts";
import { callApi, signIn } from "./harness/sign_in.ts";
import { newUser, reachDiscordCallback } from "./harness/walk.ts";
import { startDiscord } from "./standins/discord.ts";
import { NOT_DISCORDS_WORD, refusal, UNAUTHORIZED } from "./standins/discord-faults.ts";
import type { FaultAnswer } from "./standins/faults.ts";

setDefaultTimeout(30_000);

const CLIENT = { clientId: "1111111111111111111", clientSecret: "secret" };
const BOT_TOKEN = "bot-token";
const ROLE_CONNECTION = { platform_name: "D-sektionen", metadata: { dsek_member: "1" } };

const started: { readonly stop: () => Promise<void> }[] = [];
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyDatabase(database));
afterEach(async () => {
  await Promise.all(started.splice(0).map((standin) => standin.stop()));
});

function startBoth() {
  const standin = startDiscord({ ...CLIENT, botToken: BOT_TOKEN, redirectUris: [], users: [] });
  started.push(standin);
  const options = {
    ...CLIENT,
    apiUrl: standin.apiUrl,
    authorizeUrl: standin.authorizeUrl,
    cdnUrl: standin.cdnUrl,
    publicUrl: "http://127.0.0.1:9",
    version: "0.0.0-test",
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    log: NO_LOG,
    now: () => new Date(),
    sleep: () => Promise.resolve(),
  };
  return { standin, options, discord: createDiscord(options) };
}
type Both = ReturnType<typeof startBoth>;

const CALLS = [
  ["get_current_authorization", ({ discord }: Both) => discord.findCurrentUser("token")],
  ["put_role_connection", ({ discord }: Both) => discord.putRoleConnection("token", ROLE_CONNECTION)],
  ["delete_role_connection", ({ discord }: Both) => discord.deleteRoleConnection("token")],
  ["put_metadata", ({ options }: Both) => putMetadataRecords(options, BOT_TOKEN, METADATA_RECORDS)],
] as const;
const STATUSES = [400, 401, 403, 404, 405] as const;

describe.each(CALLS)("%s()", (operation, call) => {
  test.each(NOT_DISCORDS_WORD)("takes no 4xx with %s for Discord's word", async (_, answer) => {
    for (const status of STATUSES) {
      const both = startBoth();
      both.standin.failNext(operation, answer(status), 3);

      const error = await rejection(call(both));

      expect({ status, code: error.code, calls: both.standin.calls.length }).toEqual({
        status,
        code: "discord_unavailable",
        calls: 3,
      });
    }
  });

  test.each([408, 421, 425])("takes %d for no refusal, even in Discord's own shape", async (status) => {
    const both = startBoth();
    both.standin.failNext(operation, refusal(status, "Try again", 0), 3);

    const error = await rejection(call(both));

    expect([error.code, error.message]).toEqual(["discord_unavailable", `${operation}: answered ${status}`]);
    expect(both.standin.calls).toHaveLength(3);
  });

  test("names what stands between in its reason, without quoting it", async () => {
    const both = startBoth();
    both.standin.failNext(operation, { status: 403, body: "canary <b>blocked</b>" }, 3);

    const { message } = await rejection(call(both));

    expect(message).toBe(`${operation}: answered 403, and not as Discord does`);
  });

  test.each([
    ["HTML", { status: 200, body: "<h1>Please sign in to this network</h1>" }],
    ["an empty body", { status: 200 }],
    ["a text", { status: 202, body: '"ok"' }],
    ["an empty list", { status: 200, body: [] }],
    ["a list of other things", { status: 200, body: [null, 1] }],
    ["null", { status: 200, body: "null" }],
    ["another status", { status: 201, body: { platform_name: "D-sektionen", metadata: {} } }],
    ["Discord's network error", { status: 200, body: { message: "internal network error", code: 40_333 } }],
    ["an error and the right members", { status: 200, body: { message: "no", code: 0, metadata: {} } }],
  ] satisfies readonly (readonly [string, FaultAnswer])[])(
    "takes no 2xx with %s for Discord's word",
    async (_, answer) => {
      const both = startBoth();
      both.standin.failNext(operation, answer, 3);

      expect((await rejection(call(both))).code).toBe("discord_unavailable");
    },
  );

  test.each([
    [UNAUTHORIZED, "grant_ended"],
    [refusal(403, "Missing Access", 50_001), "discord_refused"],
    [refusal(400, "Invalid Form Body", 50_035), "discord_refused"],
    [refusal(405, "405: Method Not Allowed", 0), "discord_refused"],
  ] as const)("takes %j for Discord's word", async (answer, code) => {
    const both = startBoth();
    both.standin.failNext(operation, answer);

    expect((await rejection(call(both))).code).toBe(code);
    expect(both.standin.calls).toHaveLength(1);
  });
});

test.each([
  ["PUT role-connection", 200, {}],
  ["PUT role-connection", 200, { status: "ok" }],
  ["PUT role-connection", 200, { metadata: [] }],
  ["PUT role-connection", 200, { metadata: null }],
  ["PUT role-connection", 204, undefined],
  ["DELETE role-connection", 200, {}],
  ["DELETE role-connection", 200, { metadata: {} }],
  ["DELETE role-connection", 202, undefined],
  ["PUT metadata", 200, {}],
  ["PUT metadata", 200, [{ key: "of_another_program" }]],
  ["PUT metadata", 204, undefined],
] as const)("%s answered %d %j has not been done", async (name, status, body) => {
  const [operation, call] = {
    "PUT role-connection": CALLS[1],
    "DELETE role-connection": CALLS[2],
    "PUT metadata": CALLS[3],
  }[name];
  const both = startBoth();
  both.standin.failNext(operation, { status, body }, 3);

  const error = await rejection(call(both));

  expect([error.code, error.message]).toEqual([
    "discord_unavailable",
    `${operation}: answered ${status}, and not as Discord does`,
  ]);
});

test.each([
  ["put_role_connection", 200, { platform_name: null, platform_username: null, metadata: {} }],
  ["put_role_connection", 200, { metadata: { dsek_member: "1" }, later: [1] }],
  ["put_metadata", 200, METADATA_RECORDS],
  ["delete_role_connection", 204, undefined],
  ["delete_role_connection", 404, { message: "Unknown Application", code: 10_002 }],
] as const)("%s() answered %d %j is done", async (operation, status, body) => {
  const both = startBoth();
  both.standin.failNext(operation, { status, body });

  await CALLS.find(([name]) => name === operation)?.[1](both);

  expect(both.standin.calls).toHaveLength(1);
});

describe("revokeGrant()", () => {
  test.each([
    ["HTML", { status: 200, body: "<h1>Please sign in to this network</h1>" }],
    ["HTML and 401", { status: 401, body: "<h1>Sign in to this proxy</h1>" }],
    ["no body and 401", { status: 401 }],
    ["a proxy's JSON and 403", { status: 403, body: { message: "forbidden" } }],
    ["the network error 40333", refusal(403, "internal network error", 40_333)],
    ["the network error 40333 with 200", refusal(200, "internal network error", 40_333)],
    ["a login page in plain text", { status: 200, body: "Please sign in to this network" }],
    ["another JSON", { status: 200, body: { status: "ok" } }],
    ["a list", { status: 200, body: [] }],
    ["null", { status: 200, body: "null" }],
    ["a proxy's 202", { status: 202 }],
    ["408 invalid_request", { status: 408, body: { error: "invalid_request" } }],
    ["425 invalid_grant", { status: 425, body: { error: "invalid_grant" } }],
  ] satisfies readonly (readonly [string, FaultAnswer])[])(
    "takes %s for no answer of Discord's",
    async (_, answer) => {
      const { discord, standin } = startBoth();
      standin.failNext("revoke", answer);

      expect((await rejection(discord.revokeGrant("token"))).code).toBe("discord_unavailable");
    },
  );

  test.each([undefined, {}, " { }\n"])("is done by 200 with %j", async (body) => {
    const { discord, standin } = startBoth();
    standin.failNext("revoke", { status: 200, body });

    expect(await discord.revokeGrant("token")).toBe(true);
  });
});

describe("what stands between Discord and Janus", () => {
  test.each(NOT_DISCORDS_WORD)("ends no session by a 401 with %s", async (_, answer) => {
    const janus = await startJanusWithForger({ database });
    started.push(janus);
    const browser = await signIn(janus, newUser());
    janus.discord.failNext("get_current_authorization", answer(401), 3);

    const during = await callApi(janus, "/api/userinfo", { browser });
    const after = await callApi(janus, "/api/userinfo", { browser });

    expect([during.status, lastCode(janus), after.status]).toEqual([503, "discord_unavailable", 200]);
  });

  test.each([
    [408, { error: "invalid_grant" }],
    [425, { error: "invalid_grant" }],
    [401, { error: "access_denied" }],
    [403, { error: "rate_limited" }],
  ])("ends no session whose refresh it answers with %d %j", async (status, body) => {
    const janus = await startJanusWithForger({ database });
    started.push(janus);
    const browser = await signIn(janus, newUser());
    await janus.database.rows("update session set token_expires_at = created_at");
    janus.discord.failNext("token_refresh", { status, body });

    const during = await callApi(janus, "/api/userinfo", { browser });
    const after = await callApi(janus, "/api/userinfo", { browser });

    expect([during.status >= 500, after.status]).toEqual([true, 200]);
  });

  test("is no reason to tell the member of a sign-in that their approval has ended", async () => {
    const janus = await startJanusWithForger({ database });
    started.push(janus);
    const browser = createBrowser(janus.url);
    const callback = await reachDiscordCallback(browser, newUser());
    janus.discord.failNext("get_current_authorization", { status: 401, body: "<h1>Blocked</h1>" }, 3);

    const response = await browser.get(callback);

    expect([response.status, lastCode(janus)]).toEqual([503, "discord_unavailable"]);
  });
});
