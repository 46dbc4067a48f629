/** Grants that cannot be ended: what is a no for good, what is tried again and how seldom, and what members may do. */
import { describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, lastCode, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, rowsOf, setTime, trailOf } from "../harness/rows.ts";
import { askedBy, linesOf } from "../harness/seen.ts";
import { callApi, reachLoginCallback, signIn } from "../harness/sign_in.ts";
import {
  linkMember,
  newUser,
  reachDiscordCallback,
  reachForgerCallback,
  walkDiscordLeg,
} from "../harness/walk.ts";
import type { DiscordOperation } from "../standins/discord.ts";
import { refusal, UNAUTHORIZED } from "../standins/discord_faults.ts";
import type { Behaviour } from "../standins/faults.ts";

const FOR_EVER = 1_000;
/** Of a call that may be repeated. */
const TRIES = 3;
const HTML = "<!doctype html><title>Blocked</title>";
const oauth = (status: number, error: string): Behaviour => ({ status, body: { error } });

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database, forger: { freshSubjects: true } }));

const link = (user: string) => linkMember(janus, user);
const unlink = (browser: Browser) => callApi(janus, "/api/link", { browser, method: "DELETE" });
const tokenOf = (user: string) => discordTokenOf(janus, user);
const minutesUntil = (time: unknown): number =>
  Math.round((Number(time) - janus.clock.now().getTime()) / 60_000);

/** Rounds of upkeep, each when it is due; the minutes that each waited. */
async function keepUpWhenDue(times: number, dueAt: () => Promise<unknown>): Promise<readonly number[]> {
  const waits: number[] = [];
  for (let round = 0; round < times; round++) {
    const minutes = minutesUntil(await dueAt());
    waits.push(minutes);
    janus.clock.advance(minutes * 60 + 5);
    await runUpkeep(janus.deps);
  }
  return waits;
}
const failAgain = (user: string, times: number) =>
  keepUpWhenDue(times, async () => (await tokenOf(user))?.endDueAt);

/** The statuses of a link flow's first leg and of a sign-in, by one browser. */
async function tryToComeBack(user: string): Promise<readonly number[]> {
  const browser = createBrowser(janus.url);
  const linking = await browser.get(await reachDiscordCallback(browser, user));
  const signingIn = await browser.get(await reachLoginCallback(browser, user));
  return [linking.status, signingIn.status];
}

describe("a refusal to clear a role connection", () => {
  const AGAIN = ["delete_role_connection", "token_refresh", "delete_role_connection", "revoke"] as const;
  const ONCE = ["delete_role_connection", "revoke"] as const;

  test.each([
    ["401 to each token", UNAUTHORIZED, AGAIN],
    ["403", refusal(403, "Missing Access", 50_001), ONCE],
    ["400", refusal(400, "Invalid Form Body", 50_035), ONCE],
    ["405", refusal(405, "405: Method Not Allowed"), ONCE],
  ] as const)("by %s ends the grant", async (_, answer, asked) => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("delete_role_connection", answer, FOR_EVER);

    const operations = await askedBy(janus, async () => {
      expect(await (await unlink(browser)).json()).toEqual({ ok: true, finished: true });
    });
    janus.clock.advance(24 * 3_600);
    const later = await askedBy(janus, () => runUpkeep(janus.deps));

    expect([operations, later]).toEqual([[...asked], []]);
    expect(await tokenOf(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    expect(linesOf(janus, "role_connection_not_cleared")).toMatchObject([
      { level: "error", discordUserId: user, reason: expect.stringContaining("the role may stay") },
    ]);
    expect((await trailOf(janus, user)).slice(-2)).toEqual(["role_connection_not_cleared", "grant_ended"]);
    await link(user);
  });

  test("by 401 causes no second refresh", async () => {
    const user = newUser();
    await link(user);
    const browser = await signIn(janus, user);
    await setTime(janus, "discord_token", "expires_at", -1);
    janus.discord.failNext("delete_role_connection", UNAUTHORIZED, FOR_EVER);

    const operations = await askedBy(janus, () => unlink(browser));

    expect(operations).toEqual(["token_refresh", "delete_role_connection", "revoke"]);
    expect(await tokenOf(user)).toBeUndefined();
  });

  test("is told on the page, in both languages", async () => {
    for (const [language, words] of [
      ["en", /ask .*D-sektionen.* to remove it/],
      ["sv", /be .*D-sektionen.* att ta bort den/],
    ] as const) {
      const browser = await link(newUser());
      janus.discord.failNext("delete_role_connection", refusal(403, "Missing Access", 50_001));

      const answer = await browser.postOnce("/account/unlink", {});
      const page = await callApi(janus, locationOf(answer), {
        browser,
        headers: { "accept-language": language },
      });

      expect(await page.text()).toMatch(words);
    }
  });

  test.each([
    ["403 in HTML", { status: 403, body: HTML }],
    ["401 in HTML", { status: 401, body: HTML }],
    ["404 in HTML", { status: 404, body: HTML }],
    ["403 with code 40333", refusal(403, "internal network error", 40_333)],
    ["403 with code 40006", refusal(403, "Temporarily disabled", 40_006)],
    ["403 with code 40062", refusal(403, "Service resource is being rate limited", 40_062)],
    ["408 in Discord's shape", refusal(408, "Timeout", 0)],
    ["200 with a list", { status: 200, body: [] }],
    ["200 with code 40333", refusal(200, "internal network error", 40_333)],
    ["503", { status: 503 }],
  ] as const)("by %s keeps the tokens", async (_, answer) => {
    const user = newUser();
    const browser = await link(user);
    const tokens = await tokenOf(user);
    janus.discord.failNext("delete_role_connection", answer, 3);

    const operations = await askedBy(janus, () => unlink(browser));
    const during = await tokenOf(user);
    janus.clock.advance(125);
    await runUpkeep(janus.deps);

    expect(operations).toEqual(Array(3).fill("delete_role_connection"));
    expect(during).toMatchObject({ endReason: "unlinked", accessTokenSealed: tokens?.accessTokenSealed });
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    expect(linesOf(janus, "role_connection_not_cleared")).toEqual([]);
  });
});

describe("a revocation refused with 400", () => {
  test.each(["invalid_request", "unsupported_token_type", "unsupported_grant_type"])(
    "%s is given up, and told",
    async (error) => {
      const user = newUser();
      const browser = await link(user);
      janus.discord.failNext("revoke", oauth(400, error), FOR_EVER);

      const response = await unlink(browser);

      expect(await response.json()).toEqual({ ok: true, finished: true });
      expect(await tokenOf(user)).toBeUndefined();
      expect(janus.discord.roleConnection(user)).toBeUndefined();
      expect(linesOf(janus, "grant_not_revoked")).toMatchObject([{ level: "error", discordUserId: user }]);
      expect((await trailOf(janus, user)).at(-1)).toBe("grant_not_revoked");
      await link(user);
    },
  );

  test.each(["invalid_grant", "invalid_token"])("%s finds that the grant has ended", async (error) => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("revoke", oauth(400, error));

    await unlink(browser);

    expect(await tokenOf(user)).toBeUndefined();
    expect(linesOf(janus, "grant_not_revoked")).toEqual([]);
    expect((await trailOf(janus, user)).at(-1)).toBe("grant_ended");
  });
});

/** What keeps a grant from ending, without ever being a no for good. */
const OBSTACLES: readonly (readonly [string, DiscordOperation, Behaviour])[] = [
  ["clear: 403 in HTML", "delete_role_connection", { status: 403, body: HTML }],
  ["clear: 500", "delete_role_connection", { status: 500 }],
  ["revoke: 401 invalid_client", "revoke", oauth(401, "invalid_client")],
  ["revoke: 403 in HTML", "revoke", { status: 403, body: HTML }],
  ["revoke: an unknown error", "revoke", oauth(400, "computer_says_no")],
  ["revoke: 408 invalid_request", "revoke", oauth(408, "invalid_request")],
  ["revoke: 200 in plain text", "revoke", { status: 200, body: "Please sign in" }],
  ["revoke: 429", "revoke", { status: 429, headers: { "retry-after": "30" } }],
];

describe.each(OBSTACLES)("a grant that cannot end (%s)", (_, operation, behaviour) => {
  test("is tried ever more seldom", async () => {
    const user = newUser();
    const browser = await link(user);
    const before = await tokenOf(user);
    janus.discord.failNext(operation, behaviour, FOR_EVER);

    const response = await unlink(browser);
    const waits = await failAgain(user, 8);

    expect(await response.json()).toEqual({ ok: true, finished: false });
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
    expect(janus.discord.grants(user)).toBe(2);
    expect(await tokenOf(user)).toMatchObject({
      refreshTokenSealed: before?.refreshTokenSealed,
      endReason: "unlinked",
      endFailures: 9,
    });
  });

  test("lets its member in again", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext(operation, behaviour, FOR_EVER);
    await unlink(browser);

    await failAgain(user, 3);
    const refused = await tryToComeBack(user);
    const code = lastCode(janus);
    await failAgain(user, 1);
    const session = await signIn(janus, user);
    const signedIn = await callApi(janus, "/api/sessions", { browser: session });
    const linked = await link(user);
    janus.clock.advance(3 * 3_600);
    await runUpkeep(janus.deps);

    expect([refused, code]).toEqual([[503, 503], "grant_ending"]);
    expect(signedIn.status).toBe(200);
    expect(await tokenOf(user)).toMatchObject({ endReason: null, endDueAt: null, endFailures: 0 });
    expect((await callApi(janus, "/api/userinfo", { browser: linked })).status).toBe(200);
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
  });
});

describe("a grant whose refresh gets invalid_client", () => {
  test("stays due, and lets its member in", async () => {
    const user = newUser();
    await link(user);
    const browser = await signIn(janus, user);
    await setTime(janus, "discord_token", "expires_at", -1);
    janus.discord.failNext("token_refresh", oauth(401, "invalid_client"), FOR_EVER);

    await unlink(browser);
    const waits = await failAgain(user, 4);
    await link(user);

    expect(waits).toEqual([2, 4, 8, 16]);
    expect(await tokenOf(user)).toMatchObject({ endReason: null });
  });
});

describe("a sign-in past a failing end", () => {
  /** The account loses its link to another by a move, and Discord does not take that. */
  async function moveAway(user: string, refused: number): Promise<void> {
    await link(user);
    janus.discord.failNext("delete_role_connection", { status: 503 }, refused);
    for (const table of ["link", "session"])
      await janus.database.rows(`delete from ${table} where discord_user_id = '${user}'`);
    await janus.database.rows(
      `update discord_token set end_reason = 'moved', end_due_at = now() where discord_user_id = '${user}'`,
    );
    janus.clock.advance(1);
    await runUpkeep(janus.deps);
    await failAgain(user, 4);
  }

  test("clears a moved link's role connection at once", async () => {
    const user = newUser();
    await moveAway(user, 5 * TRIES);

    const asked = await askedBy(janus, async () =>
      expect((await walkDiscordLeg(janus, user)).status).toBe(302),
    );
    const later = await askedBy(janus, () => walkDiscordLeg(janus, user));

    expect(asked).toEqual(["token_code", "get_current_authorization", "delete_role_connection"]);
    expect(later).toEqual(["token_code", "get_current_authorization"]);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(linesOf(janus, "grant_end_superseded")).toMatchObject([{ discordUserId: user }]);
    expect(linesOf(janus, "role_connection_not_cleared")).toEqual([]);
  });

  /** Signed in past the end, which is not cleared at once, and stopped there with a login session. */
  async function stopWithSession(user: string, refused: number): Promise<Browser> {
    await moveAway(user, 5 * TRIES + refused);
    expect((await walkDiscordLeg(janus, user)).status).toBe(302);
    return signIn(janus, user);
  }
  const TEN_MINUTES = 605;

  test("with a session is cleared by upkeep, not revoked", async () => {
    const user = newUser();
    const session = await stopWithSession(user, TRIES);
    const during = [await tokenOf(user), janus.discord.roleConnection(user)?.metadata];

    janus.clock.advance(TEN_MINUTES);
    const asked = await askedBy(janus, () => runUpkeep(janus.deps));
    janus.clock.advance(TEN_MINUTES);
    const later = await askedBy(janus, () => runUpkeep(janus.deps));

    expect(during).toMatchObject([{ endReason: null, clearDueAt: expect.any(Date) }, { dsek_member: "1" }]);
    expect([asked, later]).toEqual([["delete_role_connection"], []]);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(await tokenOf(user)).toMatchObject({ clearDueAt: null, endReason: null, endFailures: 0 });
    expect((await callApi(janus, "/api/userinfo", { browser: session })).status).toBe(200);
    expect(linesOf(janus, "role_connection_not_cleared")).toEqual([]);
    expect(linesOf(janus, "role_connection_not_cleared_yet")).toMatchObject([{ discordUserId: user }]);
  });

  test("clears in the end, after ever rarer tries", async () => {
    const user = newUser();
    await stopWithSession(user, 5 * TRIES);

    const waits = await keepUpWhenDue(5, async () => (await tokenOf(user))?.clearDueAt);

    expect(waits).toEqual([10, 2, 4, 8, 16]);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(await tokenOf(user)).toMatchObject({ clearDueAt: null, endReason: null });
  });

  test("clears once, by one of two processes", async () => {
    const user = newUser();
    await stopWithSession(user, TRIES);
    janus.clock.advance(TEN_MINUTES);

    const asked = await askedBy(janus, () => Promise.all([runUpkeep(janus.deps), runUpkeep(janus.deps)]));

    expect(asked).toEqual(["delete_role_connection"]);
  });

  test("tells log and trail of a clear refused for good", async () => {
    const user = newUser();
    await stopWithSession(user, TRIES);
    janus.discord.failNext("delete_role_connection", refusal(403, "Missing Access", 50_001), FOR_EVER);
    janus.clock.advance(TEN_MINUTES);

    await runUpkeep(janus.deps);

    expect(linesOf(janus, "role_connection_not_cleared")).toMatchObject([
      { level: "error", discordUserId: user },
    ]);
    expect((await trailOf(janus, user)).at(-1)).toBe("role_connection_not_cleared");
    expect(await tokenOf(user)).toMatchObject({ clearDueAt: null, endReason: null });
  });

  test("that links again replaces the role connection", async () => {
    const user = newUser();
    await moveAway(user, 6 * TRIES);

    const asked = await askedBy(janus, () => link(user));
    janus.clock.advance(TEN_MINUTES);
    const later = await askedBy(janus, () => runUpkeep(janus.deps));

    expect(asked.at(-1)).toBe("put_role_connection");
    expect(later).toEqual(["put_role_connection"]);
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
    expect(await tokenOf(user)).toMatchObject({ clearDueAt: null, endReason: null });
  });

  test("that links again during the clear pushes again", async () => {
    const user = newUser();
    await stopWithSession(user, TRIES);
    janus.clock.advance(TEN_MINUTES - 10);
    const late = createBrowser(janus.url);
    const lateCallback = await reachForgerCallback(late, user);
    janus.clock.advance(10);
    const gate = janus.discord.gate("delete_role_connection");
    const upkeep = runUpkeep(janus.deps);
    await gate.arrived;

    const response = await late.get(lateCallback);
    gate.release();
    await upkeep;
    janus.clock.advance(5);
    await runUpkeep(janus.deps);

    expect(response.status).toBe(200);
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
    expect(await tokenOf(user)).toMatchObject({ clearDueAt: null, endReason: null });
  });

  test("that fails to clear does so when its grant ends", async () => {
    const user = newUser();
    await moveAway(user, 6 * TRIES);

    const response = await walkDiscordLeg(janus, user);
    const during = janus.discord.roleConnection(user);
    janus.clock.advance(2 * 3_600);
    await runUpkeep(janus.deps);

    expect([response.status, during?.metadata]).toEqual([302, { dsek_member: "1" }]);
    expect(linesOf(janus, "role_connection_not_cleared")).toEqual([]);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(await tokenOf(user)).toBeUndefined();
  });

  test("is refused while the end is being tried", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("revoke", { status: 503 }, 5);
    await unlink(browser);
    await failAgain(user, 4);
    const gate = janus.discord.gate("revoke");
    janus.clock.advance(3_600);
    const upkeep = runUpkeep(janus.deps);
    await gate.arrived;

    const refused = await tryToComeBack(user);
    gate.release();
    await upkeep;
    // What the refused sign-in has brought ends after it.
    await runUpkeep(janus.deps);

    expect(refused).toEqual([503, 503]);
    expect(await tokenOf(user)).toBeUndefined();
  });

  test("at Discord alone ends once the end succeeds", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("revoke", { status: 503 }, 5);
    await unlink(browser);
    await failAgain(user, 4);

    const session = await signIn(janus, user);
    const during = await callApi(janus, "/api/userinfo", { browser: session });
    janus.clock.advance(3_600);
    await runUpkeep(janus.deps);
    const after = await callApi(janus, "/api/userinfo", { browser: session });
    const again = await callApi(janus, "/api/userinfo", { browser: await signIn(janus, user) });

    expect([during.status, after.status, again.status]).toEqual([200, 401, 200]);
    expect(await tokenOf(user)).toBeUndefined();
  });
});

describe("a provider's grant", () => {
  const organisationToken = async () => (await rowsOf(janus, "organisation_token"))[0];

  test.each([
    ["401 invalid_client", oauth(401, "invalid_client")],
    ["403 unauthorized_client", oauth(403, "unauthorized_client")],
    ["403 in HTML", { status: 403, body: HTML }],
    ["404 without a body", { status: 404 }],
    ["400 that is no OAuth error", { status: 400, body: { message: "bad request" } }],
    ["500", { status: 500 }],
    ["408 invalid_request", oauth(408, "invalid_request")],
    ["401 access_denied", oauth(401, "access_denied")],
    ["a login page with 200", { status: 200, body: HTML }],
  ] satisfies readonly (readonly [string, Behaviour])[])(
    "is tried ever more seldom after %s",
    async (_, behaviour) => {
      const browser = await link(newUser());
      const before = await organisationToken();
      janus.provider.failNext("revoke", behaviour, FOR_EVER);

      await unlink(browser);
      const waits = await keepUpWhenDue(7, async () => (await organisationToken())?.endDueAt);

      expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60]);
      expect(await organisationToken()).toMatchObject({
        accessTokenSealed: before?.accessTokenSealed,
        endFailures: 8,
      });
    },
  );

  test.each([200, 202, 204])("has ended after %d without a body", async (status) => {
    const browser = await link(newUser());
    janus.provider.failNext("revoke", { status });

    await unlink(browser);

    expect(await organisationToken()).toBeUndefined();
    expect(linesOf(janus, "provider_grant_ended")).toMatchObject([{ level: "info", outcome: "revoked" }]);
  });

  test.each(["invalid_request", "unsupported_grant_type"])(
    "is given up after 400 %s, and told",
    async (error) => {
      const browser = await link(newUser());
      janus.provider.failNext("revoke", oauth(400, error), FOR_EVER);

      const response = await unlink(browser);

      expect(await response.json()).toEqual({ ok: true, finished: true });
      expect(await organisationToken()).toBeUndefined();
      expect(linesOf(janus, "provider_grant_ended")).toMatchObject([{ level: "error", outcome: "refused" }]);
    },
  );

  test.each([
    ["unsupported_token_type", "no_revocation"],
    ["invalid_token", "revoked"],
  ] as const)("has ended without a fault after %s", async (error, outcome) => {
    const browser = await link(newUser());
    janus.provider.failNext("revoke", oauth(400, error));

    await unlink(browser);

    expect(await organisationToken()).toBeUndefined();
    expect(linesOf(janus, "provider_grant_ended")).toMatchObject([{ level: "info", outcome }]);
  });

  test("keeps nobody out, and counts from zero with new tokens", async () => {
    const own = await startJanusWithForger();
    const browser = await linkMember(own, newUser());
    own.provider.failNext("revoke", { status: 403, body: HTML }, 1);
    await callApi(own, "/api/link", { browser, method: "DELETE" });

    await linkMember(own, newUser());

    expect(await rowsOf(own, "organisation_token")).toMatchObject([{ endFailures: 0, endDueAt: null }]);
    await own.stop();
  });
});
