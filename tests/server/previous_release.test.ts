/**
 * The previous release beside this one, on one PostgreSQL: a database that it made is migrated and serves, and it works on
 * the new schema while its replicas are restarted one by one. Both are processes of their own. The history of the
 * checkout has the previous release; without a history the test is skipped.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Environment, Serving } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { hasPreviousRelease, unpackPreviousRelease } from "../fixtures/previous_release.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import {
  createBrowser,
  discordClient,
  environmentFor,
  locationOf,
  providerClient,
} from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { newUser, reachDiscordCallback } from "../harness/walk.ts";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ForgerStandin } from "../standins/forger.ts";
import { startForger } from "../standins/forger.ts";

/** The address at which members find Janus: a proxy would listen here, and lead to either replica. */
const url = `http://127.0.0.1:${freePort()}`;
const ports = { a: freePort(), b: freePort() };
type Name = keyof typeof ports;

const folder = useFolder("beside");
let previous: Awaited<ReturnType<typeof unpackPreviousRelease>>;
let database: TestDatabase;
let discord: DiscordStandin;
let forger: ForgerStandin;
let environment: Environment;
const running = new Map<Name, Serving>();

const old = (file: string): readonly string[] => [process.execPath, "run", join(previous.program, file)];

/** Starts a replica of either release in the place of the one that runs there. */
async function start(name: Name, entry: Parameters<typeof serve>[2]): Promise<void> {
  await running.get(name)?.stop();
  const serving = await serve(folder, { ...environment, PORT: String(ports[name]) }, entry);
  running.set(name, serving);
  while (!serving.lines.some((line) => line.includes('"serving"'))) await Bun.sleep(10);
}

type Member = { readonly browser: Browser; readonly discordUserId: string };

/** A browser that sends all its requests to one replica. */
function at(name: Name, { browser }: Member): Browser {
  const moved = (address: string): string => {
    const target = new URL(address, url);
    target.port = String(ports[name]);
    return target.href;
  };
  return {
    ...browser,
    get: (address) => browser.get(moved(address)),
    post: (address, form) => browser.post(moved(address), form, url),
  };
}

const newMember = (): Member => ({ browser: createBrowser(url), discordUserId: newUser() });

/** The first leg of a flow at one replica, the second at another; the callback of the provider, not yet visited. */
async function reachProvider(member: Member, first: Name, second: Name): Promise<string> {
  const callback = await reachDiscordCallback(at(first, member), member.discordUserId);
  const departure = await at(second, member).get(callback);
  return locationOf(await fetch(locationOf(departure), { redirect: "manual" }));
}

/** Links a member, leg by leg at these replicas. */
async function link(first: Name, second: Name, third: Name): Promise<Member> {
  const member = newMember();
  const linked = await at(third, member).get(await reachProvider(member, first, second));
  expect(linked.status).toBe(200);
  return member;
}

/** Uses a member's session at a replica: it shows the recorded push, and a sync is accepted. */
async function useSession(name: Name, member: Member): Promise<void> {
  const seen = await at(name, member).get("/api/userinfo");
  expect(seen.status).toBe(200);
  expect(await seen.json()).toMatchObject({ link: { pushed_metadata: { dsek_member: "1" } } });
  const synced = await at(name, member).post("/api/link/sync", {});
  expect([200, 303, 429]).toContain(synced.status);
}

/** Undoes a link at a replica; nothing of the member is left anywhere. */
async function undo(name: Name, member: Member): Promise<void> {
  const unlinked = await at(name, member).post("/account/unlink", {});
  expect(unlinked.status).toBe(200);
  expect(discord.grants(member.discordUserId)).toBe(0);
  expect(discord.roleConnection(member.discordUserId)).toBeUndefined();
}

describe.if(onPostgres && hasPreviousRelease)("the previous release", () => {
  beforeAll(async () => {
    [previous, database] = await Promise.all([
      unpackPreviousRelease(),
      createTestDatabase({ migrated: false }),
    ]);
    discord = startDiscord({ ...discordClient(url), users: [], acceptAnyUser: true });
    forger = startForger({ ...providerClient(url), freshSubjects: true });
    environment = {
      ...environmentFor(url, discord, forger.issuer),
      DATABASE_URL: database.config.url ?? "",
    };
    const migrated = await run(folder, old("sql/migrate.ts"), [], environment);
    expect(migrated).toMatchObject({ exitCode: 0 });
    await Promise.all([start("a", { entry: old("index.ts") }), start("b", { entry: old("index.ts") })]);
  });
  afterAll(async () => {
    await Promise.all([...running.values()].map((serving) => serving.stop()));
    await Promise.all([discord?.stop(), forger?.stop(), database?.drop(), previous?.remove()]);
  });

  test("works on the new schema while it is being replaced", async () => {
    const before = await Promise.all([link("a", "a", "a"), link("a", "b", "a"), link("b", "b", "b")]);
    const begun = newMember();
    const begunBefore = await reachProvider(begun, "a", "b");

    const migrated = await run(folder, "sql/migrate.ts", [], environment);
    expect(migrated).toMatchObject({ exitCode: 0, stderr: "" });

    // Both replicas are of the previous release, on the new schema.
    expect((await at("a", begun).get(begunBefore)).status).toBe(200);
    const onNewSchema = await Promise.all([link("a", "b", "a"), link("b", "a", "b")]);

    // One of each.
    await start("a", {});
    const mixed = await Promise.all([
      link("a", "b", "a"),
      link("b", "a", "b"),
      link("b", "b", "a"),
      link("a", "a", "b"),
    ]);
    const members = [...before, begun, ...onNewSchema, ...mixed];
    for (const member of members) {
      await useSession("a", member);
      await useSession("b", member);
    }
    await undo("a", before[0]);
    await undo("b", mixed[0]);

    // The previous release has left.
    await start("b", {});
    const left = members.filter((member) => member !== before[0] && member !== mixed[0]);
    for (const member of left) {
      await useSession("b", member);
      await undo("a", member);
    }
    expect(await database.rows("select 1 from link")).toEqual([]);
    expect([...discord.unexpected, ...forger.unexpected]).toEqual([]);
    const failures = [...running.values()].flatMap(({ lines }) =>
      lines.filter((line) => /"level":"error"/.test(line)),
    );
    expect(failures).toEqual([]);
  });
});
