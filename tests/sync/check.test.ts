/** Claims that are read again while the member is away, and what Discord has after it. */
import { beforeEach, describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { LOOK_LINKS } from "../../lib/sync/brake.ts";
import { checkDueLinks, checkMember } from "../../lib/sync/check_round.ts";
import { leaveDuePushes } from "../fixtures/backlog.ts";
import { ADMIT_ACTIVE, MEMBER_RECORD, POINTS_RECORD, writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf, organisationTokenOf, trailOf } from "../harness/rows.ts";
import { linkMember, newUser, subjectOf } from "../harness/walk.ts";
import type { Behaviour } from "../standins/faults.ts";

const RULES = ADMIT_ACTIVE + MEMBER_RECORD + POINTS_RECORD;

const DAY_SECONDS = 86_400;
/** Later than any check that was put off by its jitter. */
const NEXT_CHECK_SECONDS = 27 * 3_600;

const folder = useFolder("check");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);
beforeEach(async () => {
  janus.provider.reset();
  await database.rows("delete from link");
});

type Claims = Readonly<Record<string, unknown>>;

const identity = (user: string, claims: Claims) => ({
  sub: subjectOf(user),
  preferred_username: "anna",
  active: true,
  groups: ["members"],
  points: 1,
  ...claims,
});

async function signIn(user: string, claims: Claims = {}): Promise<void> {
  janus.provider.signInAs(identity(user, claims));
  await linkMember(janus, user);
}

async function linked(claims: Claims = {}): Promise<string> {
  const user = newUser();
  await signIn(user, claims);
  return user;
}

/** So much later, upkeep comes twice: what one round makes due, the next may have to do. */
async function later(seconds = NEXT_CHECK_SECONDS): Promise<void> {
  janus.clock.advance(seconds);
  await runUpkeep(janus.deps);
  janus.clock.advance(31);
  await runUpkeep(janus.deps);
}

const inHours = (hours: number): string =>
  `timestamptz '${new Date(janus.clock.now().getTime() + hours * 3_600_000).toISOString()}'`;

/** More links than the brake looks at, due before anybody else's. Nothing is known of them, so there is nothing to tell. */
async function leaveOthers(): Promise<void> {
  await leaveDuePushes(janus, LOOK_LINKS + 30);
  await database.rows(`update link set push_due_at = null, check_due_at = ${inHours(28)},
    pushed_metadata = '{}', pushed_at = linked_at, cleared_at = linked_at`);
}

const heldBy = (user: string) => janus.discord.roleConnection(user)?.metadata;
const says = (user: string, claims: Claims): void => janus.provider.setIdentity(identity(user, claims));
const callsOf = (operation: string): number =>
  janus.discord.calls.filter((call) => call.operation === operation).length;

describe("a check", () => {
  test("tells Discord what has changed at the provider, and stores the new claims and tokens", async () => {
    const user = await linked();
    const before = await organisationTokenOf(janus, subjectOf(user));
    const sentAgain = janus.provider.sentAgain.length;
    says(user, { points: 7 });

    await later();

    expect(heldBy(user)).toEqual({ member: "1", points: "7" });
    const after = await organisationTokenOf(janus, subjectOf(user));
    expect(after?.refreshTokenSealed).not.toBe(before?.refreshTokenSealed);
    expect(after).toMatchObject({ refreshUnansweredSince: null, refreshRefusals: 0, endedAt: null });
    expect(janus.provider.sentAgain).toHaveLength(sentAgain);
  });

  test("comes once in SYNC_EVERY_HOURS, a tenth sooner or later", async () => {
    const user = await linked();
    const due = (await linkOf(janus, user))?.checkDueAt as Date;

    const hours = (due.getTime() - janus.clock.now().getTime()) / 3_600_000;
    expect(hours).toBeGreaterThan(21.5);
    expect(hours).toBeLessThan(26.5);
    const sent = janus.provider.sentRefreshTokens.length;
    await later(20 * 3_600);
    expect(janus.provider.sentRefreshTokens.length).toBe(sent);
  });

  test("tells Discord nothing that Discord knows, until the last push is thirty days old", async () => {
    const user = await linked();
    const before = callsOf("put_role_connection");

    for (let day = 0; day < 5; day += 1) await later();
    expect(callsOf("put_role_connection")).toBe(before);
    await later(31 * DAY_SECONDS);

    expect(callsOf("put_role_connection")).toBe(before + 1);
    expect(heldBy(user)).toEqual({ member: "1", points: "1" });
  });

  test.each([
    ["a group that is gone", { groups: [] }, { member: "0", points: "1" }],
    ["points that fall to zero", { points: 0 }, { member: "1", points: "0" }],
    ["a member who is no longer admitted", { active: false }, undefined],
  ])("takes %s from the member at once", async (_, claims, after) => {
    const user = await linked();
    says(user, claims);

    await later();

    expect(heldBy(user)).toEqual(after);
    const trail = await database.rows(
      `select detail from audit_event where discord_user_id = '${user}' order by audit_event_id desc limit 1`,
    );
    expect(JSON.stringify(trail[0]?.detail)).toContain('"from"');
  });

  test("tells Discord a loss once more if Discord kept the old", async () => {
    const user = await linked();
    says(user, { groups: [] });
    janus.clock.advance(NEXT_CHECK_SECONDS);
    const before = callsOf("put_role_connection");
    janus.discord.failNext("get_role_connection", {
      status: 200,
      body: JSON.stringify({
        platform_name: "x",
        platform_username: null,
        metadata: { member: "1", points: "1" },
      }),
    });

    await runUpkeep(janus.deps);

    expect(callsOf("put_role_connection")).toBe(before + 2);
    expect(heldBy(user)).toEqual({ member: "0", points: "1" });
  });

  test.each([
    ["not told if the claims are back meanwhile", ["members"], "1"],
    ["told if they are not", [], "0"],
  ])("a loss that could not be told for hours is %s", async (_, groups, after) => {
    await leaveOthers();
    const user = await linked();
    says(user, { groups: [] });
    const tries = 3;
    janus.discord.failNext("put_role_connection", { status: 503, body: "" }, tries);
    await later();
    says(user, { groups });
    const during = { held: heldBy(user), link: await linkOf(janus, user) };
    // The brake looks at others.
    await database.rows(`update link set check_due_at = ${inHours(30)} where discord_user_id = '${user}'`);

    await later(2 * 3_600);
    await later(31);

    expect(during.held).toEqual({ member: "1", points: "1" });
    expect(during.link).toMatchObject({ lossFoundAt: expect.any(Date), pushFailures: 1 });
    expect(heldBy(user)).toEqual({ member: after, points: "1" });
    expect(await linkOf(janus, user)).toMatchObject({ lossFoundAt: null, lossDueAt: null, pushFailures: 0 });
  });

  test.each([
    ["an outage", { status: 503, body: "" }],
    ["a page of a proxy", { status: 400, body: "<html>no</html>" }],
    ["invalid_client", { status: 401, body: '{"error":"invalid_client"}' }],
    ["a rate limit", { status: 429, body: "{}" }],
    ["an unknown word", { status: 400, body: '{"error":"consent_required"}' }],
  ])("takes nothing from the member for %s, and reads the claims later", async (_, fault) => {
    const user = await linked();
    says(user, { groups: [], points: 9 });
    janus.provider.failNext("token_refresh", fault);

    janus.clock.advance(NEXT_CHECK_SECONDS);
    await runUpkeep(janus.deps);
    const during = { held: heldBy(user), link: await linkOf(janus, user) };
    await later(3_700);

    expect(during.held).toEqual({ member: "1", points: "1" });
    expect(during.link).toMatchObject({ checkFailures: 1, checkFailedCode: expect.any(String) });
    expect(heldBy(user)).toEqual({ member: "0", points: "9" });
    expect(await linkOf(janus, user)).toMatchObject({ checkFailures: 0, checkFailedCode: null });
  });

  test("asks the provider nothing until its Retry-After is over, whichever link is due", async () => {
    for (let member = 0; member < 3; member += 1) await linked();
    janus.provider.failNext("token_refresh", { status: 429, body: "{}", headers: { "retry-after": "900" } });
    janus.clock.advance(NEXT_CHECK_SECONDS);
    await runUpkeep(janus.deps);
    const sent = janus.provider.sentRefreshTokens.length;

    janus.clock.advance(890);
    await runUpkeep(janus.deps);
    const early = janus.provider.sentRefreshTokens.length;
    janus.clock.advance(20);
    await runUpkeep(janus.deps);

    expect(early).toBe(sent);
    expect(janus.provider.sentRefreshTokens).toHaveLength(sent + 3);
  });

  test("sends a refresh token once more if its answer was lost, and then takes nothing if it is spent", async () => {
    const user = await linked();
    const sentAgain = janus.provider.sentAgain.length;
    says(user, { groups: [] });
    janus.provider.failNext("token_refresh", "lost");

    janus.clock.advance(NEXT_CHECK_SECONDS);
    await runUpkeep(janus.deps);
    const marked = await organisationTokenOf(janus, subjectOf(user));
    await later(3_700);
    for (let day = 0; day < 10; day += 1) await later();

    expect(marked?.refreshUnansweredSince).toEqual(expect.any(Date));
    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({ endCause: "unanswered" });
    expect(heldBy(user)).toEqual({ member: "1", points: "1" });
    expect(janus.provider.sentAgain).toHaveLength(sentAgain + 1);
    expect(await linkOf(janus, user)).toMatchObject({ clearedAt: null });
  });
});

describe("a check beside a push", () => {
  test("leaves a push put off that failed", async () => {
    const user = await linked();
    says(user, { points: 9 });
    janus.clock.advance(NEXT_CHECK_SECONDS);
    await database.rows(`update link set push_due_at = ${inHours(3)}, push_failures = 5`);
    const before = callsOf("put_role_connection");

    await runUpkeep(janus.deps);

    expect(callsOf("put_role_connection")).toBe(before);
    expect(await linkOf(janus, user)).toMatchObject({ pushFailures: 5 });
  });

  test.each([
    ["once more if the claims are new", 9, { member: "1", points: "9" }],
    ["not twice if they are not", 1, { member: "1", points: "1" }],
  ])("makes a running push due %s", async (_, points, after) => {
    const user = await linked();
    says(user, { points });
    // A push that another process makes at this moment.
    await database.rows(
      `update link set pushed_metadata = '{}', push_due_at = ${inHours(27.2)}, push_leased_until = ${inHours(27.2)}`,
    );

    janus.clock.advance(NEXT_CHECK_SECONDS);
    await checkDueLinks(janus.deps);
    const link = await linkOf(janus, user);

    const isDueNow = (link?.pushDueAt as Date) <= janus.clock.now();
    expect(isDueNow).toBe(points === 9);
    if (isDueNow) await later(13 * 60);
    expect(heldBy(user)).toEqual(after);
  });
});

describe("a grant that the provider has ended", () => {
  test("takes the role after the grace and not before, and a sign-in brings it back", async () => {
    const user = await linked();
    janus.provider.setDisabled(subjectOf(user), true);

    await later();
    const ended = await organisationTokenOf(janus, subjectOf(user));
    await later(5 * DAY_SECONDS);
    const inGrace = heldBy(user);
    await later(3 * DAY_SECONDS);
    const after = { held: heldBy(user), link: await linkOf(janus, user), trail: await trailOf(janus, user) };
    janus.provider.setDisabled(subjectOf(user), false);
    await signIn(user);

    expect(ended).toMatchObject({ endCause: "invalid_grant", endedAt: expect.any(Date) });
    expect(inGrace).toEqual({ member: "1", points: "1" });
    expect(after.held).toBeUndefined();
    expect(after.link).toMatchObject({ clearCause: "grant_ended", clearedAt: expect.any(Date) });
    expect(after.trail).toContain("provider_grant_refused");
    expect(heldBy(user)).toEqual({ member: "1", points: "1" });
    expect(await linkOf(janus, user)).toMatchObject({ clearCause: null, clearedAt: null, checkFailures: 0 });
    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({
      endedAt: null,
      endCause: null,
    });
    says(user, { points: 3 });
    await later();
    expect(heldBy(user)).toEqual({ member: "1", points: "3" });
  });

  test.each<[string, Behaviour, string]>([
    ["is one after a rate limit", { status: 429, body: "{}" }, "invalid_grant"],
    ["is one after a firewall's page", { status: 403, body: "<html>no</html>" }, "invalid_grant"],
    [
      "is one after a maintenance that named its end",
      { status: 503, headers: { "retry-after": "60" }, body: "" },
      "invalid_grant",
    ],
    [
      "is one after the provider's own word that it is overloaded",
      { status: 503, body: '{"error":"temporarily_unavailable"}' },
      "invalid_grant",
    ],
    ["may be Janus's own doing after a 500", { status: 500, body: "" }, "unanswered"],
    ["may be Janus's own doing after a 504", { status: 504, body: "" }, "unanswered"],
    ["may be Janus's own doing after a broken answer", { status: 200, body: "{}" }, "unanswered"],
    ["may be Janus's own doing after a connection that broke", "drop", "unanswered"],
  ])("%s", async (_, before, endCause) => {
    const user = await linked();
    janus.provider.failNext("token_refresh", before);

    await later();
    janus.provider.setDisabled(subjectOf(user), true);
    await later(3_700);

    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({ endCause });
  });

  test("is one after three times invalid_request in a row, and not before", async () => {
    const user = await linked();
    const refused = { status: 400, body: '{"error":"invalid_request"}' };
    const causes: unknown[] = [];
    for (let time = 0; time < 3; time += 1) {
      janus.provider.failNext("token_refresh", refused);
      await later(time === 0 ? NEXT_CHECK_SECONDS : 3_700);
      causes.push((await organisationTokenOf(janus, subjectOf(user)))?.endCause);
    }

    expect(causes).toEqual([null, null, "invalid_request"]);
    expect(heldBy(user)).toEqual({ member: "1", points: "1" });
    const sent = janus.provider.sentRefreshTokens.length;
    await later();
    expect(janus.provider.sentRefreshTokens.length).toBe(sent);
  });
});

describe("what Discord has", () => {
  const WEEK_SECONDS = 8 * DAY_SECONDS;

  test("is told again if Discord has lost a part of it", async () => {
    const user = await linked();
    janus.discord.failNext("get_role_connection", {
      status: 200,
      body: JSON.stringify({ platform_name: "x", platform_username: null, metadata: { points: "1" } }),
    });
    const before = callsOf("put_role_connection");

    await later(WEEK_SECONDS);

    expect(callsOf("put_role_connection")).toBe(before + 1);
    expect(await linkOf(janus, user)).toMatchObject({ disconnectedAt: null, reconciledAt: expect.any(Date) });
  });

  test("is right if Discord keeps an older key besides", async () => {
    const user = await linked();
    janus.discord.failNext("get_role_connection", {
      status: 200,
      body: JSON.stringify({
        platform_name: "x",
        platform_username: null,
        metadata: { member: "1", points: "1", older: "1" },
      }),
    });
    const before = callsOf("put_role_connection");

    await later(WEEK_SECONDS);

    expect(callsOf("put_role_connection")).toBe(before);
    expect(await linkOf(janus, user)).toMatchObject({ driftFoundAt: null, reconciledAt: expect.any(Date) });
  });

  test("is left alone if the member has removed it, until they sign in again", async () => {
    const user = await linked();
    janus.discord.failNext("get_role_connection", {
      status: 200,
      body: JSON.stringify({ platform_name: null, platform_username: null, metadata: {} }),
    });

    await later(WEEK_SECONDS);
    const removed = await linkOf(janus, user);
    const before = callsOf("put_role_connection");
    for (let week = 0; week < 6; week += 1) await later(WEEK_SECONDS);
    const after = callsOf("put_role_connection");
    await signIn(user);

    expect(removed).toMatchObject({ disconnectedAt: expect.any(Date) });
    expect(await trailOf(janus, user)).toContain("disconnected");
    expect(after).toBe(before);
    expect(await linkOf(janus, user)).toMatchObject({ disconnectedAt: null });
  });

  test("is not asked while the last answer is younger than RECONCILE_DAYS", async () => {
    await linked();
    const before = callsOf("get_role_connection");

    for (let day = 0; day < 5; day += 1) await later();

    expect(callsOf("get_role_connection")).toBe(before);
  });
});

test("a token of another issuer is sent to nobody after OIDC_ISSUER has changed", async () => {
  const user = await linked();
  says(user, { groups: [] });
  const calls = janus.provider.calls.length;
  const moved = { ...janus.deps.config.oidc, issuer: "https://another.example" };
  const deps = { ...janus.deps, config: { ...janus.deps.config, oidc: moved } };
  // The clients are made when they are asked for.
  Object.defineProperty(deps, "oidc", { get: () => janus.deps.oidc });

  janus.clock.advance(NEXT_CHECK_SECONDS);
  await runUpkeep(deps);

  expect(janus.provider.calls.length).toBe(calls);
  expect(heldBy(user)).toEqual({ member: "1", points: "1" });
});

test("a check spends no refresh token at Discord to read what Discord has", async () => {
  const user = await linked();
  janus.clock.advance(9 * DAY_SECONDS);
  const before = callsOf("token_refresh");

  for (let time = 0; time < 3; time += 1) expect(await checkMember(janus.deps, user)).toBeDefined();

  expect(callsOf("token_refresh")).toBe(before);
  await runUpkeep(janus.deps);
  await checkMember(janus.deps, user);
  expect(await linkOf(janus, user)).toMatchObject({ reconciledAt: expect.any(Date) });
});

describe("without a refresh token", () => {
  test("the claims keep their age, and the role stays", async () => {
    const user = await linked();
    await database.rows(
      `update organisation_token set refresh_token_sealed = null where subject = '${subjectOf(user)}'`,
    );
    says(user, { groups: [] });
    const sent = janus.provider.calls.length;

    for (let day = 0; day < 3; day += 1) await later();

    expect(janus.provider.calls.length).toBe(sent);
    expect(heldBy(user)).toEqual({ member: "1", points: "1" });
  });
});
