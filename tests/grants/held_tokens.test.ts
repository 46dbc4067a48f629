/** What Janus obtains it stores or revokes: tokens that a sign-in replaces, and those of one that comes to nothing. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Query } from "../../lib/database/run.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { settleDueStrays } from "../../lib/grants/stray_tokens.ts";
import { unlink } from "../../lib/link/unlink.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import type { Table } from "../harness/database.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { createBrowser, locationOf, startJanus, startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, rowsOf, setTime } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { callApi, reachLoginCallback, signIn } from "../harness/sign_in.ts";
import { keepUp } from "../harness/upkeep.ts";
import {
  linkAccounts,
  newUser,
  reachDiscordCallback,
  reachForgerCallback,
  walkDiscordLeg,
} from "../harness/walk.ts";
import { createJar, visit } from "../standins/member.ts";

/** What a statement meets: the database does not answer before it is done, or after. */
type Blink = "before" | "after";

/** By a part of a statement's text: how the next such statements fail. */
const blinks: { readonly statement: string; readonly when: Blink; times: number }[] = [];
const database = useDatabase((real) => {
  const query: Query = async (text, ...rest) => {
    const blink = blinks.find(({ statement, times }) => times > 0 && text.includes(statement));
    if (blink === undefined) return real.db.query(text, ...rest);
    blink.times -= 1;
    if (blink.when === "after") await real.db.query(text, ...rest);
    throw databaseUnavailable("it blinks");
  };
  return { ...real, db: { ...real.db, query } };
});
beforeEach(() => {
  blinks.length = 0;
});
const janus = useJanusForEach(() => startJanusWithForger({ database }));

/** The last answer of a flow of this member, with their own account at the provider. */
async function walk(user: string): Promise<Response> {
  janus.provider.signInAs({ sub: `sub-of-${user}` });
  const browser = createBrowser(janus.url);
  return browser.get(await reachForgerCallback(browser, user));
}
/** A flow that fails after Discord gave its tokens, since Discord does not tell whose they are. */
async function leaveStray(user: string, reach = reachDiscordCallback): Promise<Response> {
  const browser = createBrowser(janus.url);
  const callback = await reach(browser, user);
  janus.discord.failNext("get_current_authorization", { status: 503 }, 3);
  return browser.get(callback);
}
/** Both ways to a callback from Discord. */
const LEGS = [
  ["a flow", reachDiscordCallback],
  ["a sign-in", reachLoginCallback],
] as const;
const undo = (discordUserId: string) => unlink(janus.request(), { discordUserId });
/** A sign-in while an unlink waits for an answer of Discord's, and the tokens that it brought by then. */
async function signInDuringUnlink(
  user: string,
  operation: "delete_role_connection" | "revoke",
  reach: typeof reachDiscordCallback,
) {
  const gate = janus.discord.gate(operation, "answer");
  const ending = undo(user);
  await gate.arrived;
  const browser = createBrowser(janus.url);
  const { status } = await browser.get(await reach(browser, user));
  const grants = janus.discord.grants(user);
  gate.release();
  await ending;
  return { status, grants };
}
const countRows = async (table: Table): Promise<number> => (await rowsOf(janus, table)).length;

describe("the provider's tokens", () => {
  test("of five sign-ins are all revoked by one unlink, not before", async () => {
    const user = newUser();
    for (let time = 0; time < 5; time++) expect((await walk(user)).status).toBe(200);
    const before = janus.provider.liveRefreshTokens().length;

    const { discordTold, providerTold } = await undo(user);

    expect([before, discordTold, providerTold]).toEqual([5, true, true]);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
    expect(await countRows("organisation_token")).toBe(0);
  });

  test("beyond what an account keeps are revoked, the oldest first", async () => {
    const user = newUser();
    for (let time = 0; time < 23; time++) expect((await walk(user)).status).toBe(200);
    const [oldest, second] = janus.provider.liveRefreshTokens();

    await runUpkeep(janus.deps);
    const during = janus.provider.liveRefreshTokens();
    await undo(user);

    expect(during).toHaveLength(21);
    expect(during).not.toContain(oldest);
    expect(during).not.toContain(second);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
    expect(await countRows("stray_token")).toBe(0);
  });

  test("crowd out none of a full list if they replace none", async () => {
    const user = newUser();
    for (let time = 0; time < 21; time++) await walk(user);
    const [before] = await rowsOf(janus, "organisation_token");
    janus.provider.override({ tokenAnswer: (right: object) => ({ ...right, refresh_token: undefined }) });

    await walk(user);

    const [after] = await rowsOf(janus, "organisation_token");
    expect(before?.replacedTokens).toHaveLength(20);
    expect(after?.replacedTokens).toEqual(before?.replacedTokens);
    expect(await countRows("stray_token")).toBe(0);
  });

  test("that come while a full list of them ends are revoked next", async () => {
    const user = newUser();
    for (let time = 0; time < 22; time++) await walk(user);
    janus.provider.signInAs({ sub: `sub-of-${user}` });
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, user);
    const gate = janus.provider.gate("revoke", "answer");

    const ending = undo(user);
    await gate.arrived;
    const { status } = await browser.get(callback);
    await janus.deps.unstored.retry();
    gate.release();
    await ending;
    await keepUp(janus, 5);

    expect(status).toBe(403);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
    expect(await countRows("organisation_token")).toBe(0);
  });

  test("of a callback that comes 60 times are limited, and revoked", async () => {
    const user = newUser();
    janus.provider.signInAs({ sub: `sub-of-${user}` });
    const browser = createBrowser(janus.url);
    const departure = locationOf(await browser.get(await reachDiscordCallback(browser, user)));
    const cookie = browser.jar.header(new URL(janus.url));
    for (let time = 0; time < 60; time++) {
      const back = locationOf(await fetch(departure, { redirect: "manual" }));
      await fetch(back, { redirect: "manual", headers: { cookie } });
    }
    await janus.deps.unstored.retry();
    const [held] = await rowsOf(janus, "organisation_token");

    await keepUp(janus, 5);
    await undo(user);

    expect(held?.replacedTokens).toHaveLength(20);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
  });

  test.each([
    ["the ID Token is refused", { idToken: () => "not a token" }, undefined],
    ["no ID Token comes", { tokenAnswer: (right: object) => ({ ...right, id_token: undefined }) }, undefined],
    ["UserInfo does not answer", {}, "userinfo"],
  ] as const)("are revoked where %s", async (_, overrides, operation) => {
    const user = newUser();
    janus.provider.override(overrides as Parameters<typeof janus.provider.override>[0]);
    if (operation !== undefined) janus.provider.failNext(operation, { status: 503 });

    const { status } = await walk(user);
    const before = janus.provider.liveRefreshTokens().length;
    await keepUp(janus, 3);

    expect(status).toBeGreaterThanOrEqual(500);
    expect(before).toBe(1);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
    expect([await countRows("stray_token"), await countRows("organisation_token")]).toEqual([0, 0]);
  });

  test("of a failed sign-in do not end those of the member's link", async () => {
    const user = newUser();
    await walk(user);
    const [linked = ""] = janus.provider.liveRefreshTokens();
    janus.provider.failNext("userinfo", { status: 503 });

    await walk(user);
    await keepUp(janus, 3);
    const during = janus.provider.liveRefreshTokens();
    await undo(user);

    expect(during).toContain(linked);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
  });

  test("are revoked where another tab took the flow meanwhile", async () => {
    const user = newUser();
    janus.provider.signInAs({ sub: `sub-of-${user}` });
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, user);
    await janus.database.rows("delete from flow");

    const { status } = await browser.get(callback);
    await keepUp(janus, 3);

    expect(status).toBe(403);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
  });

  test.each(["before", "after"] as const)(
    "are not lost if the database fails %s storing the link",
    async (when) => {
      const user = newUser();
      blinks.push({ statement: "signed_in as (", when, times: 1 });

      const { status } = await walk(user);
      await keepUp(janus, 3);

      expect(status).toBe(503);
      const isLinked = (await countRows("link")) === 1;
      expect(isLinked).toBe(when === "after");
      expect(janus.provider.liveRefreshTokens()).toHaveLength(isLinked ? 1 : 0);
      expect(janus.discord.grants(user)).toBe(isLinked ? 2 : 0);
    },
  );

  test("wait for a database that is down for longer than the flow", async () => {
    const user = newUser();
    blinks.push({ statement: "signed_in as (", when: "before", times: 1 });
    blinks.push({ statement: "insert into organisation_token", when: "before", times: 3 });

    await walk(user);
    await keepUp(janus, 6);

    expect(janus.provider.liveRefreshTokens()).toEqual([]);
  });
});

test("the certified provider holds no token after five sign-ins and an unlink", async () => {
  const environment = { OIDC_SCOPES: "openid profile offline_access" };
  const certified = await startJanus({ database, environment });
  const user = newUser();
  for (let time = 0; time < 5; time++) expect((await linkAccounts(certified, user, "anna")).status).toBe(200);
  const before = certified.provider.refreshTokens("anna");

  await unlink(certified.request(), { discordUserId: user });

  expect(before).toBe(5);
  expect(certified.provider.refreshTokens("anna")).toBe(0);
  await certified.stop();
});

describe("Discord's tokens", () => {
  test.each(LEGS)("of %s are revoked once Discord tells their owner", async (_, reach) => {
    const user = newUser();

    const { status } = await leaveStray(user, reach);
    const before = janus.discord.grants(user);
    await keepUp(janus, 3);

    expect([status, before]).toEqual([503, 2]);
    expect(janus.discord.grants(user)).toBe(0);
    expect([await countRows("stray_token"), await countRows("discord_account")]).toEqual([0, 0]);
  });

  test.each(["before", "after"] as const)(
    "are revoked if the database fails %s storing the leg",
    async (when) => {
      const user = newUser();
      blinks.push({ statement: "left_flow as (", when, times: 1 });

      const { status } = await walkDiscordLeg(janus, user);
      await keepUp(janus, 3);

      expect(status).toBe(503);
      expect(janus.discord.grants(user)).toBe(0);
    },
  );

  test("of a failed flow do not end those of a link or a session", async () => {
    const user = newUser();
    await walk(user);
    const session = await signIn(janus, user);

    await leaveStray(user);
    await keepUp(janus, 3);

    expect((await callApi(janus, "/api/userinfo", { browser: session })).status).toBe(200);
    expect(janus.discord.grants(user)).toBeGreaterThan(0);
    expect(await countRows("stray_token")).toBe(0);
    await undo(user);
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("without the scope identify do not end the member's link", async () => {
    const user = newUser();
    await walk(user);
    const browser = createBrowser(janus.url);
    const request = new URL(locationOf(await browser.get("/linked-role")));
    request.searchParams.set("scope", "role_connections.write");
    const callback = locationOf(await visit(request.href, createJar(), { user_id: user }));

    const { status } = await browser.get(callback);
    await keepUp(janus, 3);
    await setTime(janus, "link", "push_due_at", 0);
    await keepUp(janus, 3);

    expect(status).toBe(400);
    expect(await countRows("stray_token")).toBe(0);
    expect(await linkOf(janus, user)).toMatchObject({ pushFailures: 0 });
  });

  test("that run out before their owner is known are refreshed first", async () => {
    const user = newUser();
    await leaveStray(user);
    await janus.deps.unstored.retry();
    janus.clock.advance(8 * 86_400);

    await keepUp(janus, 4);

    expect(janus.discord.grants(user)).toBe(0);
  });

  test("keep the row of a spent pair until the new one is stored", async () => {
    const user = newUser();
    await leaveStray(user);
    await janus.deps.unstored.retry();
    janus.clock.advance(8 * 86_400);
    blinks.push({ statement: "insert into stray_token", when: "before", times: 1 });

    await settleDueStrays(janus.deps);
    const meanwhile = await countRows("stray_token");
    await keepUp(janus, 5);

    expect(meanwhile).toBe(1);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await countRows("stray_token")).toBe(0);
  });

  test("whose refresh gets no answer are given up, not taken for ended", async () => {
    const user = newUser();
    await leaveStray(user);
    await janus.deps.unstored.retry();
    janus.clock.advance(8 * 86_400);
    janus.discord.failNext("token_refresh", "lost");

    await keepUp(janus, 4);

    expect(linesOf(janus, "stray_tokens_settled")).toMatchObject([{ level: "error", outcome: "given_up" }]);
    expect(await countRows("stray_token")).toBe(0);
  });

  test("of a failed sign-in wait for the member's session to end", async () => {
    const user = newUser();
    const session = await signIn(janus, user);
    await leaveStray(user);
    await keepUp(janus, 3);
    const during = await callApi(janus, "/api/userinfo", { browser: session });

    await callApi(janus, "/api/auth/logout", { browser: session, method: "POST" });
    await keepUp(janus, 3);

    expect(during.status).toBe(200);
    expect(janus.discord.grants(user)).toBe(0);
  });

  test.each(LEGS)("of %s refused while a grant ends are revoked with it", async (_, reach) => {
    const user = newUser();
    await walk(user);

    const { status } = await signInDuringUnlink(user, "delete_role_connection", reach);
    await keepUp(janus, 3);

    expect(status).toBe(503);
    expect(janus.discord.grants(user)).toBe(0);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect([await countRows("stray_token"), await countRows("discord_token")]).toEqual([0, 0]);
  });

  test.each(LEGS)("of %s that come after a revocation are revoked as well", async (_, reach) => {
    const user = newUser();
    await walk(user);

    const { grants } = await signInDuringUnlink(user, "revoke", reach);
    await keepUp(janus, 3);

    expect(grants).toBe(2);
    expect(janus.discord.grants(user)).toBe(0);
    expect([await countRows("stray_token"), await countRows("discord_token")]).toEqual([0, 0]);
  });

  test("of a refresh are stored once the database is back", async () => {
    const user = newUser();
    await walk(user);
    janus.clock.advance(6.5 * 86_400);
    blinks.push({ statement: "refresh_token_sealed = $4,", when: "before", times: 7 });

    await keepUp(janus, 3);
    const row = await discordTokenOf(janus, user);
    await undo(user);

    expect(row).toMatchObject({ refreshUnansweredSince: null });
    expect(Number(row?.expiresAt)).toBeGreaterThan(janus.clock.now().getTime() + 5 * 86_400_000);
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("are sealed while they wait, and told to nobody", async () => {
    const user = newUser();

    await leaveStray(user);
    await janus.deps.unstored.retry();
    const stored = await janus.database.dump();

    expect(await countRows("stray_token")).toBe(1);
    for (const { token } of janus.discord.tokens(user)) {
      expect(stored).not.toContain(token);
      expect(janus.logLines.join("\n")).not.toContain(token);
    }
  });
});
