/** Banned accounts: no door leads to a link, one that exists ends, and the member learns whom to ask. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { BannedAccounts } from "../../lib/operator/bans.ts";
import { addBan, removeBan } from "../../lib/operator/bans.ts";
import { runSync } from "../../lib/operator/sync_run.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { syncNow } from "../../lib/sync/sync_now.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { askHook, HOOK_SECRET } from "../fixtures/hook.ts";
import { SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf, linksOfSubject, rowsOfMember, sessionsOf, trailOf } from "../harness/rows.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { countStatements } from "../harness/statements.ts";
import {
  moveStateIn,
  newUser,
  reachDiscordCallback,
  reachForgerCallback,
  subjectOf,
  walkDiscordLeg,
} from "../harness/walk.ts";

const SUPPORT_URL = "https://help.example/roles";

const database = useDatabase();
const janus = useJanus(() =>
  startJanusWithForger({ database, environment: { SUPPORT_URL, HOOK_SECRET, SCIM_TOKEN } }),
);
beforeEach(() => janus.provider.reset());

const discord = (discordUserId: string): BannedAccounts => ({ discordUserId, issuer: null, subject: null });
const account = (subject: string): BannedAccounts => ({
  discordUserId: null,
  issuer: janus.provider.issuer,
  subject,
});
const ban = (accounts: BannedAccounts, expiresAt: Date | null = null) =>
  addBan(janus.deps, { ...accounts, expiresAt, reason: "spam-canary", operator: "eva" });
const inSeconds = (seconds: number): Date => new Date(janus.clock.now().getTime() + seconds * 1_000);

/** One call and its repeats. */
const TRIES = 3;
const DOWN = { status: 503 };

/** To the callback of the provider, which is not yet visited. */
function reach(browser: Browser, user: string, subject = subjectOf(user)): Promise<string> {
  janus.provider.signInAs({ sub: subject, preferred_username: "anna" });
  return reachForgerCallback(browser, user);
}
async function link(user: string, subject = subjectOf(user), browser = createBrowser(janus.url)) {
  return browser.get(await reach(browser, user, subject));
}
/** The first leg alone, which is as far as a banned Discord account comes. */
const walk = async (user: string): Promise<number> => (await walkDiscordLeg(janus, user)).status;
const heldBy = (user: string) => janus.discord.roleConnection(user);

describe("finishDiscordLeg() of a banned Discord account", () => {
  test("links nothing, keeps nothing and revokes what Discord gave, in one statement", async () => {
    const user = newUser();
    await ban(discord(user));
    const browser = createBrowser(janus.url);
    const { statements, ask } = countStatements(janus);
    const address = await reachDiscordCallback(browser, user);

    const { status } = await ask(address, browser.jar.header(new URL(janus.url)));
    const stored = [await rowsOfMember(janus, "discord_account", user), await linkOf(janus, user)];
    // The first round asks Discord whose they are.
    for (let round = 0; round < 2; round += 1) await runUpkeep(janus.deps);

    expect({ status, statements }).toEqual({ status: 403, statements: ["finishDiscordLeg", "insertStray"] });
    expect(stored).toEqual([[], undefined]);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await trailOf(janus, user)).toEqual(["banned", "ban_met", "grant_ended"]);
  });

  test("says at once what is so, in each language, whom to ask, and not why", async () => {
    const user = newUser();
    await ban(discord(user));
    for (const language of LANGUAGES) {
      const browser = createBrowser(janus.url);
      const address = await reachDiscordCallback(browser, user);

      const headers = { cookie: browser.jar.header(new URL(janus.url)), "accept-language": language };
      const response = await fetch(address, { headers: { ...headers, accept: "text/html" } });
      const page = await response.text();

      expect(response.status).toBe(403);
      expect(textOf(page)).toContain(TEXTS[language].errors.banned.title);
      expect(page).toContain(`href="${SUPPORT_URL}"`);
      expect(page).not.toContain("spam-canary");
      expect(page).not.toContain("eva");
    }
  });

  test("lets the end of an earlier grant go on with the new tokens", async () => {
    const user = newUser();
    await link(user);
    janus.discord.failNext("delete_role_connection", DOWN, TRIES);
    await ban(discord(user));
    const kept = heldBy(user);
    janus.clock.advance(7_200);

    const status = await walk(user);
    await runUpkeep(janus.deps);

    expect([status, kept === undefined]).toEqual([403, false]);
    expect(heldBy(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
  });
});

describe("finishProviderLeg()", () => {
  test("links no banned subject, with whatever Discord account, and revokes what both gave", async () => {
    const [user, other] = [newUser(), newUser()];
    const subject = subjectOf(user);
    await ban(account(subject));
    const before = new Set(janus.provider.liveRefreshTokens());

    const statuses = [(await link(user)).status, (await link(other, subject)).status];
    await runUpkeep(janus.deps);

    expect(statuses).toEqual([403, 403]);
    expect(await linksOfSubject(janus, subject)).toEqual([]);
    expect([await sessionsOf(janus, user), await sessionsOf(janus, other)]).toEqual([[], []]);
    expect([janus.discord.grants(user), janus.discord.grants(other)]).toEqual([0, 0]);
    expect(janus.provider.liveRefreshTokens().filter((token) => !before.has(token))).toEqual([]);
    expect(await trailOf(janus, other)).toEqual(["discord_authorized", "ban_met", "grant_ended"]);
  });

  test("takes as many statements as without bans, and meets a ban that came after the first leg", async () => {
    const [user, free] = [newUser(), newUser()];
    const [browser, other] = [createBrowser(janus.url), createBrowser(janus.url)];
    const { statements, ask } = countStatements(janus);
    const addresses = [await reach(browser, user), await reach(other, free)];
    await ban(discord(user));

    const banned = await ask(addresses[0] ?? "", browser.jar.header(new URL(janus.url)));
    const ofBanned = statements.splice(0);
    const linked = await ask(addresses[1] ?? "", other.jar.header(new URL(janus.url)));

    expect([banned.status, linked.status]).toEqual([403, 303]);
    expect(ofBanned).toEqual(["finishProviderLeg", "insertUnlinkedTokens"]);
    expect(statements).toEqual(["finishProviderLeg", "setPushed"]);
    expect(await linkOf(janus, user)).toBeUndefined();
  });

  test("links no banned Discord account with another subject", async () => {
    const user = newUser();
    const browser = createBrowser(janus.url);
    const callback = await reach(browser, user, `another-${user}`);
    await ban(discord(user));

    const { status } = await browser.get(callback);

    expect(status).toBe(403);
    expect(await linksOfSubject(janus, `another-${user}`)).toEqual([]);
  });

  test("does not ask a banned member about a move", async () => {
    const [first, second] = [newUser(), newUser()];
    await link(first);
    const browser = createBrowser(janus.url);
    const callback = await reach(browser, second, subjectOf(first));
    await ban(discord(second));

    const response = await browser.get(callback);

    expect([response.status, moveStateIn(await response.text())]).toEqual([403, ""]);
    expect((await linksOfSubject(janus, subjectOf(first))).map((row) => row.discordUserId)).toEqual([first]);
  });

  test("links again once the ban is lifted, or has ended by itself", async () => {
    const [lifted, ended] = [newUser(), newUser()];
    await ban(discord(lifted));
    await ban(account(subjectOf(ended)), inSeconds(60));
    const before = [await walk(lifted), (await link(ended)).status];

    const isLifted = await removeBan(janus.deps, discord(lifted), "eva");
    janus.clock.advance(61);
    await runUpkeep(janus.deps);
    const after = [(await link(lifted)).status, (await link(ended)).status];

    expect([before, isLifted, after]).toEqual([[403, 403], true, [200, 200]]);
    expect(await trailOf(janus, lifted)).toContain("ban_lifted");
  });
});

/** As an import stores an account whose subject it does not know. */
const username = (name: string): BannedAccounts => ({
  discordUserId: null,
  issuer: `${janus.provider.issuer}#preferred_username`,
  subject: name,
});

describe("finishProviderLeg() of a username that is banned", () => {
  const OTHER_NAMES = ["anna2", "Anna", undefined];

  test("links it with no Discord account and no subject, and the trail has the subject", async () => {
    const [first, second] = [newUser(), newUser()];
    await ban(username("anna"));

    const statuses = [(await link(first)).status, (await link(second, "another")).status];
    await runUpkeep(janus.deps);

    expect(statuses).toEqual([403, 403]);
    expect([await linkOf(janus, first), await linkOf(janus, second)]).toEqual([undefined, undefined]);
    expect(janus.discord.grants(first)).toBe(0);
    expect(await trailOf(janus, second)).toContain("ban_met");
    const trail = "select subject from audit_event where action = 'ban_met' and subject = 'another'";
    expect(await database.rows(trail)).toHaveLength(1);
  });

  test.each(OTHER_NAMES)(
    "says nothing of the username %p, nor of a subject that reads the same",
    async (name) => {
      const user = newUser();
      await ban(username("anna"));
      janus.provider.signInAs({
        sub: name === undefined ? "anna" : subjectOf(user),
        ...(name === undefined ? {} : { preferred_username: name }),
      });

      const browser = createBrowser(janus.url);
      const { status } = await browser.get(await reachForgerCallback(browser, user));

      expect(status).toBe(200);
      await database.rows(`delete from link where discord_user_id = '${user}'`);
    },
  );

  test("says nothing of another provider, and links again once it is lifted or over", async () => {
    await ban({ discordUserId: null, issuer: "https://other.example#preferred_username", subject: "anna" });
    const elsewhere = (await link(newUser())).status;
    await ban(username("anna"), inSeconds(60));
    const banned = (await link(newUser())).status;

    janus.clock.advance(61);
    const over = (await link(newUser())).status;
    await ban(username("anna"));
    const isLifted = await removeBan(janus.deps, username("anna"), "eva");
    const lifted = (await link(newUser())).status;

    expect([elsewhere, banned, over, isLifted, lifted]).toEqual([200, 403, 200, true, 200]);
  });
});

describe("confirmMove()", () => {
  test.each([
    ["Discord account", (user: string, _: string) => discord(user)],
    ["subject", (_: string, subject: string) => account(subject)],
    ["username", () => username("anna")],
  ])("moves nothing once the %s is banned", async (_, accountsOf) => {
    const [first, second] = [newUser(), newUser()];
    const subject = subjectOf(first);
    await link(first);
    const browser = createBrowser(janus.url);
    const question = await link(second, subject, browser);
    // Stored by itself, as by a process that died before it ended a link.
    await janus.deps.queries.upsertBan({
      ...accountsOf(second, subject),
      expiresAt: null,
      reason: null,
      operator: "eva",
      requestId: "request",
      now: janus.clock.now(),
    });

    const response = await browser.post("/link/move", { state: moveStateIn(await question.text()) });
    await runUpkeep(janus.deps);

    expect([question.status, response.status]).toEqual([409, 403]);
    expect(textOf(await response.text())).toContain(TEXTS.en.errors.banned.title);
    expect(await linkOf(janus, second)).toBeUndefined();
    expect(janus.discord.grants(second)).toBe(0);
    expect(await trailOf(janus, second)).toContain("ban_met");
  });
});

describe("a ban of a linked member", () => {
  test.each([
    ["Discord account", (user: string) => discord(user)],
    ["subject", (user: string) => account(subjectOf(user))],
  ] as const)("by the %s ends the link as an unlink does", async (_, accountsOf) => {
    const user = newUser();
    await link(user);
    const before = heldBy(user);

    const ended = await ban(accountsOf(user));

    expect(before).toBeDefined();
    expect(ended).toEqual([expect.objectContaining({ discordUserId: user, discordTold: true })]);
    expect([await linkOf(janus, user), await sessionsOf(janus, user)]).toEqual([undefined, []]);
    expect([heldBy(user), janus.discord.grants(user)]).toEqual([undefined, 0]);
    expect(await trailOf(janus, user)).toContain("unlinked");
  });

  test("clears the role in the end, though Discord is down when the ban comes", async () => {
    const user = newUser();
    await link(user);
    janus.discord.failNext("delete_role_connection", DOWN, TRIES);

    const ended = await ban(discord(user));
    const held = heldBy(user);
    janus.clock.advance(7_200);
    await runUpkeep(janus.deps);

    expect(ended).toMatchObject([{ discordTold: false }]);
    expect([held === undefined, heldBy(user)]).toEqual([false, undefined]);
    expect(await linkOf(janus, user)).toBeUndefined();
  });

  test("survives an unlink, and leaves other members alone", async () => {
    const [user, other] = [newUser(), newUser()];
    await link(other);
    const browser = createBrowser(janus.url);
    await link(user, subjectOf(user), browser);
    await browser.post("/account/unlink", {});
    await ban(discord(user));

    const status = await walk(user);
    await runUpkeep(janus.deps);

    expect(status).toBe(403);
    expect(await linkOf(janus, other)).toBeDefined();
    expect(heldBy(other)).toBeDefined();
  });
});

describe("a banned member who is linked after all", () => {
  /** As after a process that died between the two, or a link that an earlier release made. */
  async function linkedAfterAll(): Promise<{ readonly user: string; readonly browser: Browser }> {
    const user = newUser();
    const browser = createBrowser(janus.url);
    await link(user, subjectOf(user), browser);
    const values = { expiresAt: null, reason: null, operator: "eva", requestId: "request" };
    await janus.deps.queries.upsertBan({
      ...account(subjectOf(user)),
      ...values,
      now: janus.clock.now(),
    });
    return { user, browser };
  }

  test("loses link and role in the next round of upkeep", async () => {
    const { user } = await linkedAfterAll();

    await runUpkeep(janus.deps);

    expect([await linkOf(janus, user), heldBy(user)]).toEqual([undefined, undefined]);
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("loses both by a sync that an operator asks for", async () => {
    const { user } = await linkedAfterAll();
    const waiting = { stop: new AbortController().signal, onProgress: () => Promise.resolve() };

    await runSync(janus.deps, { kind: "all" }, waiting);

    expect([await linkOf(janus, user), heldBy(user)]).toEqual([undefined, undefined]);
  });

  test("gets nothing by syncNow()", async () => {
    const { user, browser } = await linkedAfterAll();
    const calls = janus.discord.calls.length;

    const response = await callApi(janus, "/api/link/sync", { browser, method: "POST" });
    const again = syncNow(janus.request(), { discordUserId: user });

    expect([response.status, (await response.json()).code]).toEqual([403, "banned"]);
    expect(again).rejects.toMatchObject({ code: "banned" });
    expect(janus.discord.calls.length).toBe(calls);
  });

  test("is not brought back by a hook, or by a SCIM client", async () => {
    const { user } = await linkedAfterAll();
    await runUpkeep(janus.deps);
    const scim = scimClient(janus);
    await scim.createUser({ userName: subjectOf(user), externalId: subjectOf(user), active: true });

    const { status } = await askHook(janus, { subjects: [subjectOf(user)], gone: false });
    await runUpkeep(janus.deps);

    expect(status).toBe(200);
    expect([await linkOf(janus, user), heldBy(user)]).toEqual([undefined, undefined]);
  });
});

test("logIn() lets a banned member in, who can take their data and still not link", async () => {
  const user = newUser();
  const until = inSeconds(86_400);
  await ban(discord(user), until);
  const browser = await signIn(janus, user);

  const data = await callApi(janus, "/api/me/export", { browser });
  const body = await data.text();

  expect([data.status, await walk(user)]).toEqual([200, 403]);
  expect(JSON.parse(body).bans).toEqual([{ banned_at: expect.any(String), expires_at: until.toISOString() }]);
  expect(body).not.toContain("spam-canary");
});
