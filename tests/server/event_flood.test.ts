/**
 * A flood of events and commands at a server that runs: bad signatures and tokens, repeats and bodies of a megabyte,
 * thousands of them. Each is answered as it should be, the server stays as large as it was, and a member's flow meanwhile
 * works as always.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Serving } from "../fixtures/command.ts";
import { serve } from "../fixtures/command.ts";
import { DISCORD_PUBLIC_KEY, deauthorization, signEvent } from "../fixtures/discord_events.ts";
import { HOOK_SECRET, signHook } from "../fixtures/hook.ts";
import { GUILD, whois } from "../fixtures/interactions.ts";
import { logoutClaims } from "../fixtures/logout.ts";
import { SCIM_TOKEN } from "../fixtures/scim.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import { createBrowser, discordClient, environmentFor, providerClient } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ForgerStandin } from "../standins/forger.ts";
import { createKey, startForger } from "../standins/forger.ts";
import { signToken } from "../standins/forger_tokens.ts";

const EVENTS = 5_000;
const AT_ONCE = 40;
const FLOWS = 5;
const MEGABYTE = "x".repeat(1024 * 1024);

const folder = useFolder("flood");
const port = freePort();
const url = `http://127.0.0.1:${port}`;
let discord: DiscordStandin;
let provider: ForgerStandin;
let database: TestDatabase | undefined;
let server: Serving;

beforeAll(async () => {
  discord = startDiscord({ ...discordClient(url), users: [], acceptAnyUser: true });
  provider = startForger(providerClient(url));
  database = onPostgres ? await createTestDatabase() : undefined;
  server = await serve(folder, {
    ...environmentFor(url, discord, provider.issuer),
    PORT: String(port),
    DISCORD_PUBLIC_KEY,
    DISCORD_GUILD_IDS: GUILD,
    HOOK_SECRET,
    SCIM_TOKEN,
    ...(database?.config.url === undefined ? {} : { DATABASE_URL: database.config.url }),
  });
});
afterAll(async () => {
  await server?.stop();
  await Promise.all([discord?.stop(), provider?.stop()]);
  await database?.drop();
});

type Sent = {
  readonly kind: string;
  readonly expected: readonly number[];
  readonly send: () => Promise<Response>;
};

const ATTACKER = createKey("ES256", "attacker-1");
const forgeLogout = (now: Date): string =>
  signToken(logoutClaims(provider.issuer, now, "anna"), { typ: "logout+jwt" }, ATTACKER);

const post = (path: string, body: string, headers: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(url + path, { method: "POST", headers, body });

/** What takes bodies without looking at the head of a request. */
const OPEN = ["/discord/events", "/hooks/recheck", "/discord/interactions"];
const KINDS = 9;

type Repeated = { readonly event: string; readonly hook: string; readonly command: string };

/** One of the wrong or repeated events, in turn. */
function eventNumber(index: number, repeated: Repeated): Sent {
  const now = new Date();
  switch (index % KINDS) {
    case 0:
      return {
        kind: "a bad signature of Discord",
        expected: [401],
        send: () =>
          post("/discord/events", repeated.event, signEvent(repeated.event, now, { isOurs: false })),
      };
    case 1:
      return {
        kind: "a bad signature of the hook",
        expected: [401],
        send: () =>
          post("/hooks/recheck", repeated.hook, signHook(repeated.hook, now, { secret: "x".repeat(40) })),
      };
    case 2:
      return {
        kind: "a repeat of Discord",
        expected: [204],
        send: () => post("/discord/events", repeated.event, signEvent(repeated.event, now)),
      };
    case 3:
      return {
        kind: "a repeat at the hook",
        expected: [200],
        send: () => post("/hooks/recheck", repeated.hook, signHook(repeated.hook, now, { id: "the-same" })),
      };
    case 4:
      return {
        kind: "a bad signature of a command",
        expected: [401],
        send: () =>
          post(
            "/discord/interactions",
            repeated.command,
            signEvent(repeated.command, now, { isOurs: false }),
          ),
      };
    case 5:
      return {
        kind: "a command, again and again",
        expected: [200],
        send: () => post("/discord/interactions", repeated.command, signEvent(repeated.command, now)),
      };
    case 6:
      return {
        kind: "a forged logout token",
        expected: [400],
        send: () =>
          post("/oidc/backchannel-logout", `logout_token=${forgeLogout(now)}`, {
            "content-type": "application/x-www-form-urlencoded",
          }),
      };
    case 7:
      return {
        kind: "a wrong token of SCIM",
        expected: [401],
        send: () =>
          post("/scim/v2/Users", JSON.stringify({ userName: "anna" }), {
            authorization: "Bearer wrong",
            "content-type": "application/scim+json",
          }),
      };
    default:
      return {
        kind: "a megabyte",
        expected: [413],
        send: () => post(OPEN[Math.floor(index / KINDS) % OPEN.length] ?? "", MEGABYTE, {}),
      };
  }
}

const residentMb = async (): Promise<number> => {
  const status = await Bun.file(`/proc/${server.pid}/status`).text();
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
};

/** A member's whole flow; how long it took. */
async function walkFlow(user: string): Promise<number> {
  provider.signInAs({ sub: `subject-of-${user}` });
  const from = performance.now();
  const browser = createBrowser(url);
  const response = await browser.get(await reachForgerCallback(browser, user));
  expect(response.status).toBe(200);
  expect(discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
  return performance.now() - from;
}

async function flood(count: number, repeated: Repeated) {
  const wrong: string[] = [];
  let [next, tooMany] = [0, 0];
  const client = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const { kind, expected, send } = eventNumber(index, repeated);
      const response = await send();
      await response.arrayBuffer();
      if (response.status === 429) tooMany += 1;
      else if (!expected.includes(response.status)) wrong.push(`${kind}: ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return { wrong, tooMany };
}

test("A flood of 5,000 events is answered in order, and members do not notice", async () => {
  const known = newUser();
  const gone = newUser();
  for (const user of [known, gone]) await walkFlow(user);
  const repeated = {
    event: JSON.stringify(deauthorization(gone, new Date())),
    hook: JSON.stringify({ subjects: [`subject-of-${known}`] }),
    command: JSON.stringify(whois(known, { by: gone })),
  };
  await flood(500, repeated);
  const before = await residentMb();
  const from = performance.now();

  const flooding = flood(EVENTS, repeated);
  const flows: number[] = [];
  for (let walked = 0; walked < FLOWS; walked += 1) flows.push(await walkFlow(newUser()));
  const { wrong, tooMany } = await flooding;

  const seconds = (performance.now() - from) / 1_000;
  const after = await residentMb();
  console.info(
    `${EVENTS} events in ${seconds.toFixed(1)} s, ${tooMany} told to come again; flows took ` +
      `${flows.map((ms) => Math.round(ms)).join(", ")} ms; ${before} MB before, ${after} MB after`,
  );
  expect(wrong).toEqual([]);
  // A leak of the bodies alone would be a gigabyte.
  expect(after - before).toBeLessThan(200);
  expect((await server.get("/readyz")).status).toBe(200);
  expect(discord.roleConnection(known)?.metadata).toEqual({ dsek_member: "1" });
});
