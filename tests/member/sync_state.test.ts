/** What a member sees of what keeps their link true: on their page, in the API, in the file with their data. */
import { beforeEach, describe, expect, test } from "bun:test";
import { readSyncState } from "../../lib/member/sync_state.ts";
import { en } from "../../lib/pages/texts/en.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { linksOf, textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { setOfLink } from "../harness/rows.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser, reachForgerCallback } from "../harness/walk.ts";
import { said } from "../pages/samples.ts";

const DAY_SECONDS = 86_400;
const GRACE_DAYS = 7;

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database }));

/** No other link is due, and no pause is left. */
beforeEach(async () => {
  janus.clock.advance(3_700);
  await database.rows("delete from link");
});

type Seen = {
  readonly link: {
    readonly sync: Readonly<Record<string, unknown>>;
    readonly next_push_at: string | null;
    readonly clear_cause: string | null;
  };
  readonly role: { readonly status: string };
};

/** What the API and the page say, by one session. */
async function look(browser: Browser) {
  const api = (await (await callApi(janus, "/api/userinfo", { browser })).json()) as Seen;
  const html = await (await browser.get("/account")).text();
  return { ...api, sync: api.link.sync, html, text: textOf(html).replaceAll("\n", " ") };
}

const identityOf = (user: string) => ({ sub: `subject-of-${user}`, preferred_username: "anna" });

/** A member who is linked, with their browser. */
async function link() {
  const user = newUser();
  janus.provider.signInAs(identityOf(user));
  return { user, browser: await linkMember(janus, user) };
}

/** One day goes by, with its check. */
async function passDay() {
  janus.clock.advance(1.2 * DAY_SECONDS);
  await runUpkeep(janus.deps);
}

const agoOf = (days: number): string =>
  `'${new Date(janus.clock.now().getTime() - days * DAY_SECONDS * 1_000).toISOString()}'`;

const exportOf = async (browser: Browser) =>
  (await (await callApi(janus, "/api/me/export", { browser })).json()) as {
    readonly link: Readonly<Record<string, unknown>>;
    readonly organisation_grant: Readonly<Record<string, unknown>>;
    readonly audit_trail: readonly { readonly action: string; readonly detail: unknown }[];
  };

describe("a link that is kept true", () => {
  test("is checked, and says when it was and when it is next", async () => {
    const { browser } = await link();
    const first = await look(browser);

    await passDay();
    const second = await look(browser);

    for (const { sync, role, text } of [first, second]) {
      expect(sync).toMatchObject({ state: "checked", since: null, check_failures: 0 });
      expect(role.status).toBe("discord_told");
      expect(text).toContain(said("en", en.checks.last));
      expect(text).toContain(said("en", en.checks.next));
    }
    expect(Date.parse(String(second.sync.claims_seen_at))).toBeGreaterThan(
      Date.parse(String(first.sync.claims_seen_at)),
    );
    expect(Date.parse(String(second.sync.next_check_at))).toBeGreaterThan(janus.clock.now().getTime());
  });

  test("is due now if its check is overdue", async () => {
    const { user, browser } = await link();
    await setOfLink(janus, "link", `check_due_at = ${agoOf(3)}`, user);

    const { sync } = await look(browser);

    const late = janus.clock.now().getTime() - Date.parse(String(sync.next_check_at));
    expect(late).toBeWithin(-1_000, 60_000);
  });
});

test("a provider that ends the grant begins a grace, then an end, until a sign-in", async () => {
  const { user, browser } = await link();

  janus.provider.endGrant(identityOf(user).sub);
  await passDay();
  const grace = await look(browser);
  const duringGrace = janus.discord.roleConnection(user)?.metadata;
  janus.clock.advance(GRACE_DAYS * DAY_SECONDS);
  // Before the first loss is told, a round of checks looks at other links.
  await runUpkeep(janus.deps);
  await runUpkeep(janus.deps);
  const later = await signIn(janus, user);
  const ended = await look(later);
  const afterGrace = janus.discord.roleConnection(user)?.metadata;
  const result = textOf(await (await later.get(await reachForgerCallback(later, user))).text());
  const revived = await look(later);
  const stored = await exportOf(later);

  expect(grace.sync).toMatchObject({ state: "grace", next_check_at: null });
  const { since, until } = grace.sync;
  expect(Date.parse(String(until)) - Date.parse(String(since))).toBe(GRACE_DAYS * DAY_SECONDS * 1_000);
  expect([grace.role.status, duringGrace]).toEqual(["discord_told", { dsek_member: "1" }]);
  for (const words of [en.checks.noAccess, en.checks.graceUntil])
    expect(grace.text).toContain(said("en", words.replace(/\{other\}.*$/, "")));
  expect(await linksOf(grace.html)).toContain("/linked-role");

  expect(ended.sync).toMatchObject({ state: "ended", since, until: null, next_check_at: null });
  expect([ended.role.status, ended.link.clear_cause, afterGrace]).toEqual([
    "grant_ended",
    "grant_ended",
    undefined,
  ]);
  expect(ended.text).toContain(en.checks.endedNow);
  expect(await linksOf(ended.html)).toContain("/linked-role");

  expect(result).toContain(en.linked.again);
  expect([revived.sync.state, revived.role.status, revived.link.clear_cause]).toEqual([
    "checked",
    "discord_told",
    null,
  ]);
  expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });

  const [toYes, toNothing] = [
    { values: { dsek_member: { from: null, to: "1" } } },
    { values: { dsek_member: { from: "1", to: null } } },
  ];
  const changes = stored.audit_trail.filter(({ detail }) => detail !== null).toReversed();
  expect(changes.map(({ action, detail }) => [action, detail])).toEqual([
    ["role_connection_pushed", toYes],
    ["provider_grant_refused", { cause: "invalid_grant" }],
    ["role_connection_cleared", toNothing],
    ["role_connection_pushed", toYes],
  ]);
  expect(stored.organisation_grant).toMatchObject({ ended_at: null, end_cause: null, refresh_refusals: 0 });
  expect(stored.link).toMatchObject({ clear_cause: null, loss_found_at: null, lost_at: expect.any(String) });
});

describe("a link that needs a sign-in", () => {
  test("says that the roles go soon where Discord has not been told yet", async () => {
    const { user, browser } = await link();
    const ended = `ended_at = ${agoOf(GRACE_DAYS + 1)}, end_cause = 'invalid_request'`;
    await setOfLink(janus, "organisation_token", ended, user);

    const { sync, role, text, html } = await look(browser);

    expect([sync.state, role.status]).toEqual(["ended", "discord_told"]);
    expect(text).toContain(en.checks.graceOver);
    expect(text).toContain("Member: yes");
    expect(await linksOf(html)).toContain("/linked-role");
  });

  test.each([
    ["refresh_token_sealed = null", "no_refresh_token"],
    ["ended_at = now(), end_cause = 'unanswered'", "unanswered"],
  ])("keeps its age and the roles after %s", async (columns, why) => {
    const { user, browser } = await link();
    await setOfLink(janus, "organisation_token", columns, user);

    const { sync, role, text, html } = await look(browser);

    expect(sync).toMatchObject({ state: "not_readable", why, next_check_at: null });
    expect(role.status).toBe("discord_told");
    expect(text).toContain(said("en", en.checks.notReadable));
    expect(text).not.toContain(said("en", en.checks.next));
    expect(await linksOf(html)).toContain("/linked-role");
  });
});

describe("a check that fails", () => {
  test.each([
    ["provider_unavailable", "wait", en.checks.failing, false],
    ["token_unreadable", "sign_in", en.checks.failingHere, true],
  ])("after %s says to %s", async (code, remedy, words, leadsToSignIn) => {
    const { user, browser } = await link();
    await setOfLink(janus, "link", `check_failures = 2, check_failed_code = '${code}'`, user);

    const { sync, text, html } = await look(browser);

    expect(sync).toMatchObject({ state: "check_failing", remedy, check_failures: 2 });
    expect(sync.next_check_at).not.toBeNull();
    expect(text).toContain(said("en", words));
    expect((await linksOf(html)).includes("/linked-role")).toBe(leadsToSignIn);
  });

  test("is one that a provider did not answer", async () => {
    const { browser } = await link();
    janus.provider.failNext("token_refresh", { status: 503 });

    await passDay();

    expect((await look(browser)).sync).toMatchObject({ state: "check_failing", remedy: "wait" });
  });
});

describe("a loss", () => {
  const LOSS = `loss_found_at = now(), loss_due_at = now() + interval '1 hour'`;
  const setBrake = (held: string, released: string) =>
    janus.database.rows(`insert into brake (held_at, released_at) values (${held}, ${released})`);

  test("says so while it is held", async () => {
    const { user, browser } = await link();
    await setOfLink(janus, "link", LOSS, user);
    await setBrake("now()", "null");

    const { sync, link: seen, text } = await look(browser);

    expect(sync).toMatchObject({ state: "held", since: expect.any(String), until: null });
    expect(seen.next_push_at).toBeNull();
    expect(text).toContain(said("en", en.checks.held.replace(/^.*\{other\}/, "")));
  });

  test.each([
    ["no brake", "null", "null"],
    ["a brake that has let it go", "now()", "now() + interval '1 minute'"],
  ])("is the next update with %s", async (_, held, released) => {
    const { user, browser } = await link();
    await setOfLink(janus, "link", LOSS, user);
    await setBrake(held, released);

    const { sync, link: seen, text } = await look(browser);

    expect(sync.state).toBe("checked");
    expect(seen.next_push_at).not.toBeNull();
    expect(text).toContain(said("en", en.role.nextUpdate));
  });
});

test("a connection that the member removed comes back by POST /api/link/sync", async () => {
  const { user, browser } = await link();
  await setOfLink(janus, "link", "disconnected_at = now()", user);

  const removed = await look(browser);
  const stored = await exportOf(browser);
  await callApi(janus, "/api/link/sync", { browser, method: "POST" });
  const back = await look(browser);

  expect(removed.sync).toMatchObject({ state: "disconnected", since: expect.any(String) });
  expect(removed.role.status).toBe("disconnected");
  expect(removed.text).toContain(said("en", en.checks.disconnectedNow, en.buttons.sync));
  expect(removed.text).not.toContain("Member: yes");
  expect(stored.link).toMatchObject({ disconnected_at: expect.any(String), check_failed_code: null });
  expect([back.sync.state, back.role.status]).toEqual(["checked", "discord_told"]);
  expect(back.text).toContain("Member: yes");
});

describe("readSyncState()", () => {
  const now = new Date("2026-07-05T12:00:00Z");
  const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_SECONDS * 1_000);
  const PLAIN = {
    goneAt: null,
    organisationEndedAt: null,
    organisationEndCause: null,
    organisationExpiresAt: null,
    hasOrganisationRefreshToken: true,
    disconnectedAt: null,
    discordEndedAt: null,
    isDeauthorized: false,
    tokenRefusedAt: null,
    lossFoundAt: null,
    isLossHeld: false,
    checkDueAt: daysAgo(-1),
    checkFailures: 0,
    checkFailedCode: null,
  } as const;
  const [DISCONNECTED, HELD, FAILING] = [
    { disconnectedAt: daysAgo(1) },
    { lossFoundAt: daysAgo(1), isLossHeld: true },
    { checkFailures: 1, checkFailedCode: "provider_unavailable" },
  ];
  const endedFor = (days: number, cause: "invalid_grant" | "unanswered" = "invalid_grant") => ({
    organisationEndedAt: daysAgo(days),
    organisationEndCause: cause,
  });

  test.each([
    ["nothing", {}, "checked"],
    [
      "a grace that ends now, and all else",
      { ...endedFor(7), ...DISCONNECTED, ...HELD, ...FAILING },
      "ended",
    ],
    [
      "a grant that Discord ended",
      { discordEndedAt: daysAgo(1), ...DISCONNECTED, ...endedFor(6) },
      "discord_ended",
    ],
    ["a grant that the member ended", { discordEndedAt: daysAgo(1), isDeauthorized: true }, "deauthorized"],
    ["a token that Discord refuses", { tokenRefusedAt: daysAgo(1), ...HELD }, "discord_ended"],
    ["a grant that both ended", { discordEndedAt: daysAgo(1), ...endedFor(8) }, "ended"],
    ["a removed connection in the grace", { ...endedFor(6), ...DISCONNECTED, ...HELD }, "disconnected"],
    ["a loss that is held in the grace", { ...endedFor(6), ...HELD, ...FAILING }, "grace"],
    ["a loss that is held after a lost answer", { ...endedFor(30, "unanswered"), ...HELD }, "held"],
    ["a lost answer, however old", { ...endedFor(30, "unanswered"), ...FAILING }, "not_readable"],
    [
      "a membership that ended, and all else",
      { goneAt: daysAgo(1), ...endedFor(9), ...DISCONNECTED },
      "gone",
    ],
    ["a membership that ended while losses are held", { goneAt: daysAgo(1), ...HELD }, "held"],
    ["no refresh token", { hasOrganisationRefreshToken: false, ...FAILING }, "not_readable"],
    ["a loss that is not held", { ...HELD, isLossHeld: false, ...FAILING }, "check_failing"],
  ] as const)("after %#. %s", (_, row, state) => {
    const deps = { config: janus.config, now: () => now };

    expect(readSyncState(deps, { ...PLAIN, ...row }).state).toBe(state);
  });

  test("knows that an access token without a refresh token may live to the next check", () => {
    const deps = { config: janus.config, now: () => now };
    const state = (organisationExpiresAt: Date) =>
      readSyncState(deps, { ...PLAIN, hasOrganisationRefreshToken: false, organisationExpiresAt }).state;

    expect([state(daysAgo(-2)), state(daysAgo(-1)), state(daysAgo(0))]).toEqual([
      "checked",
      "not_readable",
      "not_readable",
    ]);
  });
});
