/** Upkeep: abandoned grants end, failed pushes are repeated, and no two processes collide. */
import { describe, expect, test } from "bun:test";
import { endDueGrants } from "../../lib/grants/end_discord_grant.ts";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import { MEMBERSHIP_LIVES } from "../../lib/sync/decision.ts";
import { PUSH_LEASE_SECONDS, pushDueLinks, pushLink } from "../../lib/sync/push.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { createBrowser, lastCode, startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, rowsOf, setTime, trailOf } from "../harness/rows.ts";
import { countOf, linesOf, operationsOf } from "../harness/seen.ts";
import {
  linkMember,
  newUser,
  reachDiscordCallback,
  reachForgerCallback,
  walkDiscordLeg,
} from "../harness/walk.ts";

const HOUR_SECONDS = 3_600;

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database, forger: { freshSubjects: true } }));

/** A member who went through the Discord leg and no further. */
async function abandon(): Promise<string> {
  const user = newUser();
  await walkDiscordLeg(janus, user);
  return user;
}

async function link(user: string = newUser()): Promise<string> {
  await linkMember(janus, user);
  return user;
}

const accounts = () => rowsOf(janus, "discord_account");

/** A link of which nothing is known. */
const UNKNOWN_MEMBER = {
  username: "name",
  issuer: "https://provider.example",
  subject: "subject",
  claims: {},
  sources: {},
  linkedAt: new Date(0),
  pushedMetadata: null,
  pushedPlatformUsername: null,
  clearedAt: null,
  clearCause: null,
  lossFoundAt: null,
  ...MEMBERSHIP_LIVES,
};

describe("an abandoned grant", () => {
  test("is kept for an hour, then revoked at Discord and removed", async () => {
    const user = await abandon();

    janus.clock.advance(HOUR_SECONDS - 60);
    await runUpkeep(janus.deps);
    expect(janus.discord.grants(user)).toBe(2);

    janus.clock.advance(120);
    await runUpkeep(janus.deps);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await accounts()).toEqual([]);
    expect(await rowsOf(janus, "flow")).toEqual([]);
    expect(await trailOf(janus, user)).toEqual(["discord_authorized", "grant_ended"]);
  });

  test("is not revoked when the member has a link", async () => {
    const user = await link();
    await walkDiscordLeg(janus, user);
    janus.clock.advance(2 * HOUR_SECONDS);

    await runUpkeep(janus.deps);

    expect(operationsOf(janus)).not.toContain("revoke");
    expect(await linkOf(janus, user)).toBeDefined();
    expect(await rowsOf(janus, "flow")).toEqual([]);
  });

  test.each([
    ["clearing the role connection", "delete_role_connection", 3],
    ["revoking", "revoke", 1],
  ] as const)("is kept while Discord fails at %s", async (_, operation, times) => {
    const user = await abandon();
    janus.clock.advance(2 * HOUR_SECONDS);
    janus.discord.failNext(operation, { status: 503 }, times);

    await runUpkeep(janus.deps);
    await runUpkeep(janus.deps);
    expect(await accounts()).toMatchObject([{ discordUserId: user }]);

    janus.clock.advance(HOUR_SECONDS);
    await runUpkeep(janus.deps);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await accounts()).toEqual([]);
  });

  test("leaves the cause in the log when its end is put off", async () => {
    const user = await abandon();
    janus.clock.advance(2 * HOUR_SECONDS);
    janus.discord.failNext("revoke", "drop");

    await runUpkeep(janus.deps);

    expect(linesOf(janus, "grant_not_ended")).toEqual([
      expect.objectContaining({
        level: "warn",
        discordUserId: user,
        outcome: "put_off",
        code: "discord_unavailable",
        reason: "revoke: the connection failed or was lost",
        causeName: expect.stringMatching(/Error$/),
      }),
    ]);
  });

  test("is removed when the member has already ended it at Discord", async () => {
    const user = await abandon();
    janus.discord.endGrant(user);
    janus.clock.advance(2 * HOUR_SECONDS);

    await runUpkeep(janus.deps);

    expect(await accounts()).toEqual([]);
  });

  test("is refreshed and then ended when its access token has expired", async () => {
    const user = await abandon();
    janus.clock.advance(8 * 24 * HOUR_SECONDS);

    await runUpkeep(janus.deps);

    expect(operationsOf(janus).slice(-3)).toEqual(["token_refresh", "delete_role_connection", "revoke"]);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await accounts()).toEqual([]);
  });

  test("is refreshed, then ended, if its access token is refused", async () => {
    const user = await abandon();
    janus.discord.expireAccessTokens(user);
    janus.clock.advance(2 * HOUR_SECONDS);

    await runUpkeep(janus.deps);

    expect(operationsOf(janus).slice(-4)).toEqual([
      "delete_role_connection",
      "token_refresh",
      "delete_role_connection",
      "revoke",
    ]);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await accounts()).toEqual([]);
  });

  test("is cleared after its link was moved, even in a new flow", async () => {
    const first = await link();
    const browser = createBrowser(janus.url);
    await janus.database.rows(
      `update discord_token set end_reason = 'moved', end_due_at = now() where discord_user_id = '${first}'`,
    );
    await janus.database.rows(`delete from link where discord_user_id = '${first}'`);

    const refused = await browser.get(await reachDiscordCallback(browser, first));
    janus.clock.advance(1);
    await runUpkeep(janus.deps);

    expect(refused.status).toBe(503);
    expect(janus.discord.roleConnection(first)).toBeUndefined();
    expect((await browser.get(await reachDiscordCallback(browser, first))).status).toBe(302);
  });

  test("is ended once when several processes do upkeep", async () => {
    const users = [await abandon(), await abandon(), await abandon()];
    janus.clock.advance(2 * HOUR_SECONDS);
    await janus.deps.queries.deleteOldFlows({ createdBefore: janus.clock.now(), limit: 9 });
    const now = janus.clock.now();
    await janus.deps.queries.setDiscordAbandoned({ limit: 9, obtainedBefore: now, now });

    const ended = await Promise.all(Array.from({ length: 4 }, () => endDueGrants(janus.deps)));

    expect(ended.reduce((sum, { done }) => sum + done, 0)).toBe(users.length);
    expect(countOf(janus, "revoke")).toBe(users.length);
  });

  test("cannot be replaced by a new flow while it is being revoked", async () => {
    const user = await abandon();
    janus.clock.advance(2 * HOUR_SECONDS);
    const gate = janus.discord.gate("revoke");
    const upkeep = runUpkeep(janus.deps);
    await gate.arrived;

    const response = await walkDiscordLeg(janus, user);
    gate.release();
    await upkeep;

    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("60");
    expect(janus.logLines.join("")).toContain("grant_ending");
    expect(await link(user)).toBe(user);
  });
});

describe("a push", () => {
  test("is repeated when it is due after a failure, and not before", async () => {
    const user = newUser();
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, user);
    janus.discord.failNext("put_role_connection", { status: 500 }, 3);
    await browser.get(callback);
    const attempts = () => countOf(janus, "put_role_connection");
    expect(attempts()).toBe(3);

    await runUpkeep(janus.deps);
    expect(attempts()).toBe(3);

    janus.clock.advance(61);
    await runUpkeep(janus.deps);
    expect(attempts()).toBe(4);
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
    expect(await linkOf(janus, user)).toMatchObject({
      pushDueAt: null,
      pushFailures: 0,
      pushedMetadata: { dsek_member: "1" },
    });
  });

  test("waits longer after each failure, and never ends the link", async () => {
    const user = newUser();
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, user);
    janus.discord.failNext("put_role_connection", { status: 500 }, 3 * 12);
    await browser.get(callback);

    const waits: number[] = [];
    for (let round = 0; round < 10; round++) {
      const due = (await linkOf(janus, user))?.pushDueAt;
      if (!(due instanceof Date)) throw new Error("nothing is due");
      const wait = (due.getTime() - janus.clock.now().getTime()) / 1_000;
      waits.push(Math.round(wait / 60));
      janus.clock.advance(wait + 1);
      await pushDueLinks(janus.deps);
    }

    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360]);
    expect(janus.discord.grants(user)).toBe(2);
    expect(await linkOf(janus, user)).toMatchObject({ pushFailures: 11 });
  });

  test("never uses a token that was copied from another row", async () => {
    const [one, other] = [await link(), await link()];
    await janus.database.rows(`update discord_token set access_token_sealed =
      (select access_token_sealed from discord_token where discord_user_id = '${other}') where discord_user_id = '${one}'`);
    await setTime(janus, "link", "push_due_at", 0, one);
    const before = operationsOf(janus).length;
    janus.clock.advance(1);

    expect((await pushDueLinks(janus.deps)).done).toBe(0);

    expect(operationsOf(janus).length).toBe(before);
    expect(lastCode(janus)).toBe("token_unreadable");
    expect(await linkOf(janus, one)).toMatchObject({ pushFailures: 1 });
  });

  test("is taken over when its lease ends, after its process has died", async () => {
    const user = await link();
    await janus.database.rows(
      `update link set push_due_at = now(), pushed_at = null, pushed_metadata = null`,
    );
    janus.clock.advance(1);
    const now = janus.clock.now();
    const leasedUntil = new Date(now.getTime() + PUSH_LEASE_SECONDS * 1_000);
    expect(await janus.deps.queries.claimPushDue({ limit: 5, leasedUntil, now })).toHaveLength(1);

    expect((await pushDueLinks(janus.deps)).done).toBe(0);
    janus.clock.advance(PUSH_LEASE_SECONDS + 1);
    expect((await pushDueLinks(janus.deps)).done).toBe(1);
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null });
  });

  test("clears no later due date and records nothing after its lease has ended", async () => {
    const user = await link();
    const recorded = await trailOf(janus, user);
    const row = await discordTokenOf(janus, user);
    const held = {
      accessTokenSealed: String(row?.accessTokenSealed),
      discordExpiresAt: new Date("2100-01-01Z"),
    };
    const late = { ...UNKNOWN_MEMBER, pushFailures: 0, leasedUntil: janus.clock.now() };
    await janus.database.rows("update link set push_due_at = '2100-01-01Z'");

    expect(await pushLink(janus.deps, { discordUserId: user, ...held, ...late })).toMatchObject({
      failure: undefined,
    });

    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: new Date("2100-01-01Z") });
    expect(await trailOf(janus, user)).toEqual(recorded);
  });

  test("is made once when several processes do upkeep at the same time", async () => {
    for (let count = 0; count < 5; count++) await link();
    const before = operationsOf(janus).length;
    await setTime(janus, "link", "push_due_at", 0);
    janus.clock.advance(1);

    const pushed = await Promise.all(Array.from({ length: 4 }, () => pushDueLinks(janus.deps)));

    expect(pushed.reduce((sum, { done }) => sum + done, 0)).toBe(5);
    expect(operationsOf(janus).length - before).toBe(5);
  });

  test("refreshes an expired token once when several processes meet it", async () => {
    const user = await link();
    janus.clock.advance(8 * 24 * HOUR_SECONDS);
    await setTime(janus, "link", "push_due_at", 0);
    const grant = { ...UNKNOWN_MEMBER, pushFailures: 0, leasedUntil: janus.clock.now() };
    const row = await discordTokenOf(janus, user);
    const held = {
      discordUserId: user,
      accessTokenSealed: String(row?.accessTokenSealed),
      discordExpiresAt: new Date(0),
    };

    await Promise.all(Array.from({ length: 5 }, () => pushLink(janus.deps, { ...grant, ...held })));

    expect(countOf(janus, "token_refresh")).toBe(1);
    expect(janus.discord.grants(user)).toBeGreaterThan(0);
  });

  test("keeps the tokens and frees the lease when the refresh fails", async () => {
    const user = await link();
    const tokens = async () => {
      const { accessTokenSealed, refreshTokenSealed, leasedUntil } =
        (await discordTokenOf(janus, user)) ?? {};
      return { accessTokenSealed, refreshTokenSealed, leasedUntil };
    };
    const before = await tokens();
    janus.clock.advance(8 * 24 * HOUR_SECONDS);
    await setTime(janus, "link", "push_due_at", 0);
    // For the refresh that upkeep makes before tokens expire, for the check that asks what Discord has, and for the push.
    janus.discord.failNext("token_refresh", { status: 502 }, 3);

    await runUpkeep(janus.deps);

    expect(await tokens()).toEqual(before);
    expect(await linkOf(janus, user)).toMatchObject({ pushFailures: 1 });
  });
});

test("runUpkeep() removes the account of an unconfirmed move, and keeps linked ones", async () => {
  const user = await link();
  const browser = createBrowser(janus.url);
  const conflict = await browser.get(await reachForgerCallback(browser, user));
  expect(conflict.status).toBe(409);
  expect(await rowsOf(janus, "organisation_account")).toHaveLength(2);
  janus.clock.advance(2 * HOUR_SECONDS);

  await runUpkeep(janus.deps);

  expect(await rowsOf(janus, "organisation_account")).toHaveLength(1);
  expect(await rowsOf(janus, "organisation_token")).toHaveLength(1);
  expect(await linkOf(janus, user)).toBeDefined();
});

test("runUpkeep() survives a duty that fails, and logs its name without the message", async () => {
  await abandon();
  janus.clock.advance(2 * HOUR_SECONDS);
  const deleteOldFlows = () => Promise.reject(new Error("canary"));
  const deps = { ...janus.deps, queries: { ...janus.deps.queries, deleteOldFlows } };

  await runUpkeep(deps);

  expect(janus.logLines.join("")).toContain('"step":"delete_old_flows"');
  expect(janus.logLines.join("")).not.toContain("canary");
});

test("startUpkeep() waits for the running round when it is stopped", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let finished = false;
  const run = async () => {
    begun.resolve();
    await gate.promise;
    finished = true;
    return { claimed: 0, isFull: false, done: 0, metOutage: false };
  };

  const upkeep = startUpkeep(janus.deps, [{ name: "push_due_links", everySeconds: 0.001, asks: [], run }]);
  await begun.promise;
  const stopped = upkeep.stop();
  gate.resolve();
  await stopped;

  expect(finished).toBe(true);
});
