/** Refreshes whose answer never comes: the refresh token may be spent, and then nothing of Janus's can clear or revoke. */
import { describe, expect, test } from "bun:test";
import postgres from "postgres";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { unlink as unlinkMember } from "../../lib/link/unlink.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import type { Table } from "../harness/database.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { rowsOfMember, setTime, trailOf } from "../harness/rows.ts";
import { countOf, operationsOf } from "../harness/seen.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { keepUp } from "../harness/upkeep.ts";
import { linkMember, moveStateIn, newUser, reachForgerCallback, walkDiscordLeg } from "../harness/walk.ts";
import { refusal } from "../standins/discord_faults.ts";
import type { Behaviour } from "../standins/faults.ts";

const DAY_SECONDS = 86_400;
/** What the token endpoint does with a refresh that it has taken, or may have taken. */
const TAKEN: Behaviour = "lost";

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database }));

async function link(user: string): Promise<Browser> {
  janus.provider.signInAs({ sub: `sub-of-${user}` });
  return linkMember(janus, user);
}
const ofMember = (table: Table, user: string) => rowsOfMember(janus, table, user);
const errorsOf = (user: string) =>
  janus.logLines
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter(({ level, discordUserId }) => level === "error" && discordUserId === user)
    .map(({ event }) => event);

/** A link whose access token has run out before upkeep could refresh it, as after an outage of days. */
async function linkThatRanOut(user: string): Promise<void> {
  await link(user);
  janus.clock.advance(8 * DAY_SECONDS);
}
/** The session of a link has run out with its token, so the use case itself is asked. */
const unlink = (discordUserId: string) => unlinkMember(janus.request(), { discordUserId });
async function moveAway(user: string): Promise<string> {
  janus.provider.signInAs({ sub: `sub-of-${user}` });
  const other = createBrowser(janus.url);
  const question = await other.get(await reachForgerCallback(other, newUser()));
  const state = moveStateIn(await question.text());
  const moved = await other.post("/link/move", { state });
  expect(moved.status).toBe(200);
  return moved.text();
}
/** Returns once a statement waits for another's lock. */
async function untilSomebodyWaits(): Promise<void> {
  const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await janus.database.rows(waiting)).length === 0) await Bun.sleep(20);
}

describe.each([
  ["an unlink", unlink],
  ["a move", moveAway],
] as const)("%s whose refresh gets no answer", (_, end) => {
  test("is told in the log, the trail and a row", async () => {
    const user = newUser();
    await linkThatRanOut(user);
    janus.discord.failNext("token_refresh", TAKEN);

    await end(user);
    await keepUp(janus, 3);

    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
    expect(await ofMember("discord_token", user)).toEqual([]);
    expect(errorsOf(user)).toEqual(["role_connection_not_cleared", "grant_given_up"]);
    expect((await trailOf(janus, user)).slice(-2)).toEqual([
      "role_connection_not_cleared",
      "grant_not_revoked",
    ]);
    expect(await ofMember("role_connection_left", user)).toHaveLength(1);
  });

  test("clears and revokes at any later sign-in", async () => {
    const user = newUser();
    await linkThatRanOut(user);
    janus.discord.failNext("token_refresh", TAKEN);
    await end(user);
    await keepUp(janus, 3);

    await walkDiscordLeg(janus, user);
    const cleared = janus.discord.roleConnection(user);
    await keepUp(janus, 3);

    expect(cleared).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    expect(await ofMember("role_connection_left", user)).toEqual([]);
    expect(await ofMember("discord_token", user)).toEqual([]);
  });

  test("clears and revokes if it had not arrived", async () => {
    const user = newUser();
    await linkThatRanOut(user);
    janus.discord.failNext("token_refresh", "drop");

    await end(user);
    await keepUp(janus, 1);

    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    expect(errorsOf(user)).toEqual([]);
    expect((await trailOf(janus, user)).at(-1)).toBe("grant_ended");
  });
});

test("a member who moves a link reads if the other account may keep its role", async () => {
  const user = newUser();
  await linkThatRanOut(user);
  janus.discord.failNext("token_refresh", TAKEN);
  const other = newUser();
  await link(other);

  const lost = await moveAway(user);
  const well = await moveAway(other);

  expect(lost).toContain("Your other Discord account");
  expect(well).not.toContain("Your other Discord account");
});

test("a member who comes back while such an end is still tried helps it to its end", async () => {
  const user = newUser();
  await linkThatRanOut(user);
  janus.discord.failNext("token_refresh", TAKEN);
  await unlink(user);

  const refused = await walkDiscordLeg(janus, user);
  await keepUp(janus, 1);

  expect(refused.status).toBe(503);
  expect(janus.discord.roleConnection(user)).toBeUndefined();
  expect(janus.discord.grants(user)).toBe(0);
  expect(errorsOf(user)).toEqual([]);
  await link(user);
});

test("a member whose role is left finds it on their page and in their data", async () => {
  const user = newUser();
  await linkThatRanOut(user);
  janus.discord.failNext("token_refresh", TAKEN);
  await unlink(user);
  await keepUp(janus, 2);

  const browser = await signIn(janus, user);
  const told = await Promise.all(
    ["en", "sv"].map(async (language) => {
      const headers = { accept: "text/html", "accept-language": language };
      return (await callApi(janus, "/account", { browser, headers })).text();
    }),
  );
  const data = await (await callApi(janus, "/api/me/export", { browser })).json();

  expect(told[0]).toMatch(/still have a role.*Authorized Apps.*Deauthorize/s);
  expect(told[1]).toMatch(/kvar en roll.*Authorized Apps.*återkalla/s);
  expect(data).toMatchObject({ link: null, role_connection_left_at: expect.any(String) });
});

test("a new link replaces a role that was left, which no later sign-in clears", async () => {
  const user = newUser();
  await linkThatRanOut(user);
  janus.discord.failNext("token_refresh", TAKEN);
  await unlink(user);
  await keepUp(janus, 2);
  janus.discord.failNext("delete_role_connection", refusal(403, "Missing Access", 50_001));

  await link(user);
  const left = await ofMember("role_connection_left", user);
  const before = janus.discord.calls.length;
  await walkDiscordLeg(janus, user);

  expect(left).toEqual([]);
  expect(operationsOf(janus, before)).toEqual(["token_code", "get_current_authorization"]);
  expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
});

test.skipIf(!onPostgres)(
  "a sign-in that is refused while the end is recorded has its tokens ended at once",
  async () => {
    const user = newUser();
    const now = janus.clock.now();
    const at = (seconds: number) =>
      `timestamptz '${new Date(now.getTime() + seconds * 1_000).toISOString()}'`;
    await janus.database.rows(
      `insert into discord_account values ('${user}', 'u', null, ${at(0)}, ${at(0)})`,
    );
    await janus.database.rows(`insert into discord_token
    (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at, leased_until, end_reason, end_due_at)
    values ('${user}', 'old', 'old', 'identify', ${at(0)}, ${at(0)}, ${at(390)}, 'unlinked', ${at(0)})`);
    const [first, second] = [1, 2].map(() => postgres(database.config.url ?? "", { max: 1 }));
    if (first === undefined || second === undefined) throw new Error("no connections");

    let deletion: Promise<unknown> | undefined;
    await first.begin(async (transaction) => {
      const { text, parameters } = STATEMENTS.finishDiscordLeg;
      const values: Readonly<Record<string, unknown>> = {
        discordUserId: user,
        username: "u",
        globalName: null,
        scope: "identify",
        requestId: "r",
        now,
        accessTokenSealed: "new",
        refreshTokenSealed: "new",
        sessionAccessTokenSealed: "s",
        expiresAt: now,
        flowExpiresAt: new Date(now.getTime() + 600_000),
        flowIdHash: "0".repeat(64),
      };
      await transaction.unsafe(text, Object.keys(parameters).map((name) => values[name]) as never[]);
      deletion = second
        .unsafe(STATEMENTS.deleteDiscordToken.text, [user, "old", now, false, false])
        .execute();
      await untilSomebodyWaits();
    });
    await deletion;
    await Promise.all([first.end(), second.end()]);

    expect(await ofMember("discord_token", user)).toMatchObject([
      { accessTokenSealed: "new", endReason: "unlinked", leasedUntil: null, endDueAt: now },
    ]);
  },
);

test("only an answer that may have spent the token leaves the end unknown", async () => {
  const gateway = { status: 502, body: "<!doctype html>" };
  const told: Record<string, number> = {};
  for (const [name, answer] of [
    ["gateway", gateway],
    ["refused client", { status: 401, body: { error: "invalid_client" } }],
  ] as const) {
    const user = newUser();
    await linkThatRanOut(user);
    janus.discord.failNext("token_refresh", answer);
    await unlink(user);
    janus.discord.endGrant(user);
    await keepUp(janus, 2);
    told[name] = errorsOf(user).length;
  }

  expect(told).toEqual({ gateway: 2, "refused client": 0 });
});

test("a process that died while it refreshed leaves the same mark", async () => {
  const user = newUser();
  await linkThatRanOut(user);
  const now = janus.clock.now();
  await janus.deps.queries.claimRefresh({ discordUserId: user, leasedUntil: now, now, isAwaited: false });
  const refreshToken = janus.discord.tokens(user).find(({ kind }) => kind === "refresh")?.token ?? "";
  await janus.deps.discord.refreshTokens(refreshToken);
  janus.clock.advance(1);

  await unlink(user);
  await keepUp(janus, 2);

  expect(await ofMember("role_connection_left", user)).toHaveLength(1);
});

describe("the tokens of a link", () => {
  test("are refreshed a day early, so an unlink needs no refresh", async () => {
    const user = newUser();
    await link(user);
    janus.clock.advance(5 * DAY_SECONDS);
    await runUpkeep(janus.deps);
    const early = countOf(janus, "token_refresh");
    janus.clock.advance(1.5 * DAY_SECONDS);
    await runUpkeep(janus.deps);
    janus.clock.advance(2 * DAY_SECONDS);
    const before = janus.discord.calls.length;

    await unlink(user);

    expect(early).toBe(0);
    expect(operationsOf(janus, before)).toEqual(["delete_role_connection", "revoke"]);
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("all end, even if the answer to an early refresh was lost", async () => {
    const user = newUser();
    await link(user);
    janus.clock.advance(6.5 * DAY_SECONDS);
    janus.discord.failNext("token_refresh", TAKEN);
    await runUpkeep(janus.deps);

    await unlink(user);

    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    expect(errorsOf(user)).toEqual([]);
  });

  test("are refreshed once, however many processes look", async () => {
    await link(newUser());
    janus.clock.advance(6.5 * DAY_SECONDS);

    await Promise.all(Array.from({ length: 4 }, () => runUpkeep(janus.deps)));

    expect(countOf(janus, "token_refresh")).toBe(1);
  });

  test("are kept, and asked for ever more seldom, in an outage", async () => {
    const user = newUser();
    await link(user);
    janus.clock.advance(6.1 * DAY_SECONDS);
    janus.discord.failNext("token_refresh", { status: 503 }, 1_000);
    const [before] = await ofMember("discord_token", user);

    for (let minute = 0; minute < 120; minute++) {
      janus.clock.advance(60);
      await runUpkeep(janus.deps);
    }

    const asked = countOf(janus, "token_refresh");
    expect(asked).toBeLessThan(8);
    const [after] = await ofMember("discord_token", user);
    expect(after?.refreshTokenSealed).toBe(before?.refreshTokenSealed);
    expect(await ofMember("link", user)).toHaveLength(1);
  });
});

test("a push keeps a link whose refresh got no answer, and a sign-in mends it", async () => {
  const user = newUser();
  await linkThatRanOut(user);
  janus.discord.failNext("token_refresh", TAKEN);
  await setTime(janus, "link", "push_due_at", 0);
  await keepUp(janus, 2);

  expect(await ofMember("link", user)).toHaveLength(1);
  const browser = await link(user);
  expect(await (await callApi(janus, "/api/userinfo", { browser })).json()).toMatchObject({
    role: { status: "discord_told" },
  });
});
