/** Which answers are Discord's word, and which come from something between Discord and Janus. */
import { afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createDiscord } from "../../lib/discord/client.ts";
import { putMetadataRecords } from "../../lib/discord/metadata_records.ts";
import type { JanusError } from "../../lib/errors.ts";
import type { Fetch } from "../../lib/oauth/upstream.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { useDatabase } from "../harness/hooks.ts";
import { createBrowser, lastCode, startJanusWithForger } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { newUser, reachDiscordCallback } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import { NOT_DISCORDS_WORD, refusal, UNAUTHORIZED } from "../standins/discord_faults.ts";
import type { FaultAnswer } from "../standins/faults.ts";
import { rawAnswer, startRaw } from "../standins/raw.ts";

const CLIENT = { clientId: "1111111111111111111", clientSecret: "secret" };
const BOT_TOKEN = "bot-token";
const METADATA = { metadata: { dsek_member: "1" } };
const ROLE_CONNECTION = { platform_name: "D-sektionen", ...METADATA };

const started: { readonly stop: () => Promise<void> }[] = [];
const database = useDatabase();
afterEach(async () => {
  await Promise.all(started.splice(0).map((standin) => standin.stop()));
});

const TOKENS = { access_token: "a", refresh_token: "r", token_type: "Bearer", expires_in: 600 };
const LINK_SCOPES = ["identify", "role_connections.write"];

function startBoth(send: Fetch = (url, init) => fetch(url, init)) {
  const standin = startDiscord({ ...CLIENT, botToken: BOT_TOKEN, redirectUris: [], users: [] });
  started.push(standin);
  const options = {
    ...CLIENT,
    apiUrl: standin.apiUrl,
    authorizeUrl: standin.authorizeUrl,
    cdnUrl: standin.cdnUrl,
    publicUrl: "http://127.0.0.1:9",
    version: "0.0.0-test",
    fetch: send,
    log: NO_LOG,
    now: () => new Date(),
    sleep: () => Promise.resolve(),
  };
  return { standin, options, discord: createDiscord(options)({}) };
}
type Both = ReturnType<typeof startBoth>;

const CALLS = [
  ["get_current_authorization", ({ discord }: Both) => discord.findCurrentUser("token")],
  ["put_role_connection", ({ discord }: Both) => discord.putRoleConnection("token", ROLE_CONNECTION)],
  ["delete_role_connection", ({ discord }: Both) => discord.deleteRoleConnection("token")],
  ["put_metadata", ({ options }: Both) => putMetadataRecords(options, BOT_TOKEN, DEFAULT_RECORDS)],
] as const;
const STATUSES = [400, 401, 403, 404, 405] as const;

describe.each(CALLS)("%s()", (operation, call) => {
  test.each(NOT_DISCORDS_WORD)("distrusts a 4xx with %s", async (_, answer) => {
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

  test.each([408, 421, 425])("does not take %d for a refusal, whatever its shape", async (status) => {
    const both = startBoth();
    both.standin.failNext(operation, refusal(status, "Try again", 0), 3);

    const error = await rejection(call(both));

    expect([error.code, error.message]).toEqual(["discord_unavailable", `${operation}: answered ${status}`]);
    expect(both.standin.calls).toHaveLength(3);
  });

  test("says that an answer is not Discord's, not quoting it", async () => {
    const both = startBoth();
    both.standin.failNext(operation, { status: 403, body: "canary <b>blocked</b>" }, 3);

    const { message } = await rejection(call(both));

    expect(message).toBe(`${operation}: answered 403, but the answer is not Discord's`);
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
  ] satisfies readonly (readonly [string, FaultAnswer])[])("distrusts a 2xx with %s", async (_, answer) => {
    const both = startBoth();
    both.standin.failNext(operation, answer, 3);

    expect((await rejection(call(both))).code).toBe("discord_unavailable");
  });

  test.each([
    ["401", UNAUTHORIZED, "grant_ended"],
    ["403 with 50001", refusal(403, "Missing Access", 50_001), "discord_refused"],
    ["400 with 50035", refusal(400, "Invalid Form Body", 50_035), "discord_refused"],
    ["403 with 0", refusal(403, "403: Forbidden", 0), "discord_refused"],
    ["405 with 0", refusal(405, "405: Method Not Allowed", 0), "discord_refused"],
    ["401 with 40001", refusal(401, "Unauthorized", 40_001), "grant_ended"],
    ["401 with 50025", refusal(401, "Invalid OAuth2 access token provided", 50_025), "grant_ended"],
  ] as const)("takes %s for Discord's answer", async (_, answer, code) => {
    const both = startBoth();
    both.standin.failNext(operation, answer);

    expect((await rejection(call(both))).code).toBe(code);
    expect(both.standin.calls).toHaveLength(1);
  });
});

test.each([
  ["PUT role-connection", "200 with an empty object", 200, {}],
  ["PUT role-connection", "200 with a status", 200, { status: "ok" }],
  ["PUT role-connection", "200 with a list of metadata", 200, { metadata: [] }],
  ["PUT role-connection", "200 with null metadata", 200, { metadata: null }],
  // Of a cache, of another member, of before, or of Discord that has dropped what it was given.
  ["PUT role-connection", "200 with no value", 200, { ...ROLE_CONNECTION, metadata: {} }],
  [
    "PUT role-connection",
    "200 with another value",
    200,
    { ...ROLE_CONNECTION, metadata: { dsek_member: "0" } },
  ],
  [
    "PUT role-connection",
    "200 with a value that is no text",
    200,
    { ...ROLE_CONNECTION, metadata: { dsek_member: true } },
  ],
  [
    "PUT role-connection",
    "200 with a list as its value",
    200,
    { ...ROLE_CONNECTION, metadata: { dsek_member: ["1"] } },
  ],
  ["PUT role-connection", "200 with another key", 200, { ...ROLE_CONNECTION, metadata: { another: "1" } }],
  [
    "PUT role-connection",
    "200 with a list as its name",
    200,
    { ...ROLE_CONNECTION, platform_name: ["D-sektionen"] },
  ],
  [
    "PUT role-connection",
    "200 with an object as its username",
    200,
    { ...ROLE_CONNECTION, platform_username: { a: 1 } },
  ],
  // What Kubernetes and those who build on it answer.
  [
    "PUT role-connection",
    "200 with a Kubernetes status",
    200,
    { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" },
  ],
  ["PUT role-connection", "201", 201, ROLE_CONNECTION],
  ["PUT role-connection", "204", 204, undefined],
  ["DELETE role-connection", "200 with an empty object", 200, {}],
  ["DELETE role-connection", "200 with metadata", 200, { metadata: {} }],
  ["DELETE role-connection", "202", 202, undefined],
  ["PUT metadata", "200 with an empty object", 200, {}],
  ["DELETE role-connection", "404 with 404: Not Found", 404, { message: "404: Not Found", code: 0 }],
  ["DELETE role-connection", "404 with code 10404", 404, { message: "Not Found", code: 10_404 }],
  ["DELETE role-connection", "404 with code 40404", 404, { message: "Not Found", code: 40_404 }],
  ["PUT role-connection", "404 with 404: Not Found", 404, { message: "404: Not Found", code: 0 }],
  ["PUT metadata", "200 with another program's record", 200, [{ key: "of_another_program" }]],
  ["PUT metadata", "200 with another type", 200, DEFAULT_RECORDS.map((record) => ({ ...record, type: 1 }))],
  ["PUT metadata", "200 with null", 200, null],
  ["PUT metadata", "204", 204, undefined],
] as const)("%s is not done by %s", async (name, _, status, body) => {
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
    `${operation}: answered ${status}, but the answer is not Discord's`,
  ]);
});

test.each([
  [
    "put_role_connection",
    "200 with no names",
    200,
    { platform_name: null, platform_username: null, ...METADATA },
  ],
  [
    "put_role_connection",
    "200 with small letters",
    200,
    { ...ROLE_CONNECTION, platform_name: "d-sektionen" },
  ],
  [
    "put_role_connection",
    "200 with more",
    200,
    { metadata: { dsek_member: "1", of_before: "0" }, later: [1] },
  ],
  ["put_role_connection", "200 with a number", 200, { metadata: { dsek_member: 1 } }],
  ["put_metadata", "200 with the records", 200, DEFAULT_RECORDS],
  ["delete_role_connection", "204", 204, undefined],
  [
    "delete_role_connection",
    "404 with Unknown Application",
    404,
    { message: "Unknown Application", code: 10_002 },
  ],
  ["delete_role_connection", "404 with Unknown User", 404, { message: "Unknown User", code: 10_013 }],
] as const)("%s() is done by %s", async (operation, _, status, body) => {
  const both = startBoth();
  both.standin.failNext(operation, { status, body });

  await CALLS.find(([name]) => name === operation)?.[1](both);

  expect(both.standin.calls).toHaveLength(1);
});

describe("deleteRoleConnection()", () => {
  const clearBy = async (answer: Uint8Array | string) => {
    const raw = startRaw(answer);
    started.push({ stop: async () => raw.stop() });
    const { options } = startBoth();
    await createDiscord({ ...options, apiUrl: raw.url.slice(0, -1) })({}).deleteRoleConnection("token");
    return raw.asked.length;
  };
  const html = { "content-type": "text/html; charset=utf-8" };

  test.each([
    ["nothing else", "HTTP/1.1 204 No Content\r\n\r\n"],
    // Discord's own. https://github.com/discord/discord-api-docs/issues/5887
    ["the type of a page", "HTTP/1.1 204 No Content\r\ncontent-type: text/html; charset=utf-8\r\n\r\n"],
    ["an empty page", rawAnswer("", html, "204 No Content")],
  ])("is done by 204 with %s", async (_, answer) => {
    expect(await clearBy(answer)).toBe(1);
  });

  test.each([
    ["a page", rawAnswer("<h1>Please sign in to this network</h1>", html, "204 No Content")],
    ["an error", rawAnswer('{"message":"no","code":0}', {}, "204 No Content")],
    ["a length alone", "HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n"],
  ])("is not done by 204 with %s", async (_, answer) => {
    expect((await rejection(clearBy(answer))).code).toBe("discord_unavailable");
  });
});

describe("a thousand random calls", () => {
  const ALL = [
    ["GET", ({ discord }: Both) => discord.findCurrentUser("token")],
    ["PUT", ({ discord }: Both) => discord.putRoleConnection("token", ROLE_CONNECTION)],
    ["DELETE", ({ discord }: Both) => discord.deleteRoleConnection("token")],
    ["PUT", ({ options }: Both) => putMetadataRecords(options, BOT_TOKEN, DEFAULT_RECORDS)],
    ["POST", ({ discord }: Both) => discord.revokeGrant("token")],
    ["POST", ({ discord }: Both) => discord.exchangeCode("code")],
    ["POST", ({ discord }: Both) => discord.refreshTokens("token")],
  ] as const;
  const words = fc.constantFrom("Forbidden", "Unauthorized", "Not Found", "OK", "blocked", "Please sign in");
  const foreignBodies = fc.oneof(
    words.map((word) => `<!doctype html><html><title>${word}</title><body>${word}</body></html>`),
    words,
    fc.constantFrom("", "null", "true", "[]", '"ok"', '{"message":"401: Unauthorized","co'),
    fc.record({ status: words }).map((body) => JSON.stringify(body)),
    fc.record({ message: words }).map((body) => JSON.stringify(body)),
    fc.record({ message: words, code: fc.integer({ min: 0, max: 999 }) }).map((body) => JSON.stringify(body)),
    fc.record({ code: fc.constant(0) }).map((body) => JSON.stringify(body)),
    fc
      .record({ kind: fc.constant("Status"), apiVersion: fc.constant("v1"), metadata: fc.constant({}) })
      .map((body) => JSON.stringify(body)),
    fc
      .record({ error: fc.record({ message: words, code: fc.integer() }) })
      .map((body) => JSON.stringify(body)),
    fc
      .jsonValue({ maxDepth: 2 })
      .map((body) => JSON.stringify(body))
      // With status 200, this is Discord's own answer to a revocation.
      .filter((body) => body !== "{}"),
  );
  const foreignAnswers = fc.record({
    // An empty 200 to a revocation is Discord's own, and so is an empty 204 to a deletion.
    status: fc.constantFrom(
      200,
      201,
      202,
      204,
      400,
      401,
      403,
      404,
      405,
      407,
      409,
      410,
      418,
      451,
      500,
      502,
      503,
    ),
    body: foreignBodies,
    type: fc.constantFrom("text/html; charset=utf-8", "application/json", "text/plain"),
  });
  const answerOf = ({ status, body, type }: { status: number; body: string; type: string }) =>
    status === 204
      ? new Response(null, { status, headers: { "content-type": type, "content-length": "9" } })
      : new Response(body === "" ? "nothing" : body, { status, headers: { "content-type": type } });

  test("succeed only when Discord itself has answered", async () => {
    const user = { id: "200000000000000001", username: "anna_d" };
    const rights = {
      "GET /oauth2/@me": { application: { id: CLIENT.clientId }, scopes: LINK_SCOPES, expires: "", user },
      "PUT /users/@me/applications/:id/role-connection": ROLE_CONNECTION,
      "PUT /applications/:id/role-connections/metadata": DEFAULT_RECORDS,
      "POST /oauth2/token/revoke": {},
      "POST /oauth2/token": TOKENS,
    };
    const schedule = fc.array(fc.oneof({ weight: 3, arbitrary: foreignAnswers }, fc.constant("right")), {
      minLength: 3,
      maxLength: 3,
    });
    const counted = { done: 0, notDone: 0 };
    const codes = new Set<string>();

    await fc.assert(
      fc.asyncProperty(schedule, fc.constantFrom(...ALL), async (answers, [, call]) => {
        const left = [...answers];
        let doneByDiscord = 0;
        const own = startBoth((url, { method = "GET" }) => {
          const next = left.shift();
          if (next !== "right" && next !== undefined) return Promise.resolve(answerOf(next));
          doneByDiscord += 1;
          const path = new URL(url).pathname.replace("/api/v10", "").replace(CLIENT.clientId, ":id");
          const right = Object.entries(rights).find(([route]) => route === `${method} ${path}`)?.[1];
          return Promise.resolve(
            right === undefined ? new Response(null, { status: 204 }) : Response.json(right),
          );
        });

        const failure = await call(own).then(
          () => undefined,
          (error: unknown) => error as JanusError,
        );

        counted[failure === undefined ? "done" : "notDone"] += 1;
        if (failure !== undefined) codes.add(failure.code);
        expect(doneByDiscord).toBe(failure === undefined ? 1 : 0);
      }),
      { numRuns: 1_000 },
    );

    expect([...codes]).toEqual(["discord_unavailable"]);
    expect(Math.min(counted.done, counted.notDone)).toBeGreaterThan(100);
  });
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
  ] satisfies readonly (readonly [string, FaultAnswer])[])("distrusts %s", async (_, answer) => {
    const { discord, standin } = startBoth();
    standin.failNext("revoke", answer);

    expect((await rejection(discord.revokeGrant("token"))).code).toBe("discord_unavailable");
  });

  test.each([undefined, {}, " { }\n"])("is done by 200 with %j", async (body) => {
    const { discord, standin } = startBoth();
    standin.failNext("revoke", { status: 200, body });

    expect(await discord.revokeGrant("token")).toBe(true);
  });
});

describe("a foreign answer", () => {
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
  ])("ends no session by %d %j to a refresh", async (status, body) => {
    const janus = await startJanusWithForger({ database });
    started.push(janus);
    const browser = await signIn(janus, newUser());
    await janus.database.rows("update session set token_expires_at = created_at");
    janus.discord.failNext("token_refresh", { status, body });

    const during = await callApi(janus, "/api/userinfo", { browser });
    const after = await callApi(janus, "/api/userinfo", { browser });

    expect([during.status >= 500, after.status]).toEqual([true, 200]);
  });

  test("does not tell a member that their approval ended", async () => {
    const janus = await startJanusWithForger({ database });
    started.push(janus);
    const browser = createBrowser(janus.url);
    const callback = await reachDiscordCallback(browser, newUser());
    janus.discord.failNext("get_current_authorization", { status: 401, body: "<h1>Blocked</h1>" }, 3);

    const response = await browser.get(callback);

    expect([response.status, lastCode(janus)]).toEqual([503, "discord_unavailable"]);
  });
});
