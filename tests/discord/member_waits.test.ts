/** What follows for one member's calls when Discord asks for a wait that is longer than anybody waits for. */
import { beforeEach, expect, test } from "bun:test";
import { createDiscord } from "../../lib/discord/client.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { rejection } from "../harness/rejection.ts";

const ROLE_CONNECTION = { platform_name: "D-sektionen", metadata: { dsek_member: "1" } };
const HELD = { ...ROLE_CONNECTION, platform_username: null };
const LIMITED = { message: "You are being rate limited.", retry_after: 900, global: false };

let nowMs = Date.UTC(2031, 4, 6);
let sent: string[] = [];
/** Which answers are still 429. */
let limited = 0;
let headers: Record<string, string> = {};

beforeEach(() => {
  sent = [];
  limited = 1;
  headers = { "retry-after": "900", "x-ratelimit-scope": "user" };
});

/** One process, which has answers put in front of it. */
function startClient() {
  const now = () => new Date(nowMs);
  const bind = createDiscord({
    clientId: "1",
    clientSecret: "canary-secret",
    apiUrl: "http://127.0.0.1:9",
    authorizeUrl: "http://127.0.0.1:9/authorize",
    cdnUrl: "http://127.0.0.1:9",
    publicUrl: "http://127.0.0.1:9",
    version: "0.0.0-test",
    fetch: async (_, { method, headers: own }) => {
      sent.push(`${method} ${new Headers(own).get("authorization")}`);
      limited -= 1;
      return limited < 0 ? Response.json(HELD) : Response.json(LIMITED, { status: 429, headers });
    },
    log: createLog("error", () => undefined, now),
    now,
    sleep: () => Promise.resolve(),
  });
  // Each request and each round has a client of its own.
  return {
    read: (token: string) => bind({}).findRoleConnection(token),
    push: (token: string) => bind({}).putRoleConnection(token, ROLE_CONNECTION),
  };
}

test("findRoleConnection() is not sent again before Discord's wait is over", async () => {
  const { read } = startClient();
  await rejection(read("anna"));
  nowMs += 600_000;

  const early = await rejection(read("anna"));
  const sentEarly = sent.length;
  nowMs += 300_000;
  await read("anna");

  expect([early.code, early.limit, early.retryAfterSeconds]).toEqual(["discord_rate_limited", "member", 300]);
  expect(early.message).not.toContain("anna");
  expect([sentEarly, sent.length]).toEqual([1, 2]);
});

test("findRoleConnection() of another member does not wait, nor does their push", async () => {
  const { read, push } = startClient();
  await rejection(read("anna"));

  await read("bo");
  await push("anna");

  expect(sent).toEqual(["GET Bearer anna", "GET Bearer bo", "PUT Bearer anna"]);
});

test("findRoleConnection() keeps no wait of a global limit, which has its own stop", async () => {
  headers = { "retry-after": "900", "x-ratelimit-scope": "global" };
  const { read } = startClient();
  await rejection(read("anna"));

  await read("anna");

  expect(sent).toHaveLength(2);
});

test("findRoleConnection() forgets the oldest of too many waits", async () => {
  limited = 10_001;
  const { read } = startClient();
  for (let member = 0; member <= 10_000; member += 1) await rejection(read(`member-${member}`));

  await read("member-0");
  const kept = await rejection(read("member-1"));

  expect([sent.length, kept.code]).toEqual([10_002, "discord_rate_limited"]);
});
