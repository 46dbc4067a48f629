/** What Discord holds as the rules turn true, false and unknown for a member, and as they no longer admit them. */
import { beforeEach, describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { PUSH_LEASE_SECONDS, pushDueLinks } from "../../lib/sync/push.ts";
import { ADMIT_ACTIVE, MEMBER_RECORD, POINTS_RECORD, writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf, setTime, trailOf } from "../harness/rows.ts";
import { countOf, linesOf } from "../harness/seen.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const RULES = `platform_username = 'claims.preferred_username'${ADMIT_ACTIVE}${MEMBER_RECORD}${POINTS_RECORD}`;

const folder = useFolder("rules");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);
beforeEach(() => janus.provider.reset());

type Claims = Readonly<Record<string, unknown>>;

/** A member signs in at the provider, which says this of them. */
async function signInWith(user: string, claims: Claims): Promise<Response> {
  janus.provider.signInAs({ sub: `subject-of-${user}`, preferred_username: "anna", active: true, ...claims });
  const browser = createBrowser(janus.url);
  return browser.get(await reachForgerCallback(browser, user));
}

/** Upkeep pushes every link, as it would once it is due. */
async function pushAgain(user: string): Promise<void> {
  await setTime(janus, "link", "push_due_at", -1, user);
  await pushDueLinks(janus.deps);
}

const heldBy = (user: string) => janus.discord.roleConnection(user)?.metadata;

describe("pushLink()", () => {
  test("tells Discord what the rules say after each sign-in, and keeps what is unknown", async () => {
    const user = newUser();
    const held: unknown[] = [];
    for (const claims of [
      { groups: ["members"], points: 3 },
      { groups: [], points: 4 },
      {},
      { groups: ["members"] },
    ]) {
      await signInWith(user, claims);
      held.push(heldBy(user));
      await pushAgain(user);
      held.push(heldBy(user));
    }

    const [yes, no] = [
      { member: "1", points: "3" },
      { member: "0", points: "4" },
    ];
    const again = { member: "1", points: "4" };
    expect(held).toEqual([yes, yes, no, no, no, no, again, again]);
  });

  test("leaves out what was never known, and pushes no value if nothing is", async () => {
    const [some, none] = [newUser(), newUser()];

    await signInWith(some, { points: 2 });
    await signInWith(none, {});

    expect(heldBy(some)).toEqual({ points: "2" });
    expect(Object.keys(heldBy(none) ?? {})).not.toContain("member");
    expect(Object.keys(heldBy(none) ?? {})).not.toContain("points");
    expect(Object.keys(heldBy(none) ?? {})).toHaveLength(1);
  });

  test("keeps a value whose claim has another form, and logs its type once, never its value", async () => {
    const user = newUser();
    await signInWith(user, { points: 7 });

    await signInWith(user, { points: "canary-points" });
    await signInWith(user, { points: "canary-points" });

    expect(heldBy(user)).toEqual({ points: "7" });
    const lines = linesOf(janus, "rule_failed").filter(({ reason }) => String(reason).includes("points"));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.reason).toContain("claims.points is a text");
    expect(janus.logLines.join("")).not.toContain("canary-points");
  });

  test("keeps the platform username while it is unknown", async () => {
    const user = newUser();
    await signInWith(user, { points: 1 });

    await signInWith(user, { points: 1, preferred_username: undefined });

    expect(janus.discord.roleConnection(user)?.platform_username).toBe("anna");
  });

  test("clears the role connection of a member who is refused, and pushes once they are admitted", async () => {
    const user = newUser();
    const held: unknown[] = [];
    for (const claims of [{}, { active: false }, { active: undefined }, { active: "yes" }, {}]) {
      await signInWith(user, { points: 5, ...claims });
      await pushAgain(user);
      held.push(heldBy(user));
    }

    expect(held).toEqual([{ points: "5" }, undefined, undefined, undefined, { points: "5" }]);
    expect(await linkOf(janus, user)).toMatchObject({ clearedAt: null, pushedMetadata: { points: "5" } });
    // Each push of a member who is refused clears, and none of a member of whom nothing is known.
    expect(countOf(janus, "delete_role_connection", user)).toBe(2);
    const trail = await trailOf(janus, user);
    expect(trail.filter((action) => action === "role_connection_cleared")).toHaveLength(1);
    expect(trail).not.toContain("not_admitted");
  });

  test("changes nothing for an admitted member of whom nobody can say it any more", async () => {
    const user = newUser();
    await signInWith(user, { points: 5 });

    await signInWith(user, { points: 6, active: undefined });

    expect(heldBy(user)).toEqual({ points: "6" });
    expect(await linkOf(janus, user)).toMatchObject({ clearedAt: null });
    const told = linesOf(janus, "admission_unknown").find(({ discordUserId }) => discordUserId === user);
    expect(told?.reason).toBe("admit: claims.active is missing");
  });

  test("clears later if Discord does not answer, as it pushes later", async () => {
    const user = newUser();
    await signInWith(user, { points: 5 });
    for (let time = 0; time < 3; time += 1)
      janus.discord.failNext("delete_role_connection", { status: 503, body: "" });

    await signInWith(user, { points: 5, active: false });
    const during = { held: heldBy(user), link: await linkOf(janus, user) };
    janus.clock.advance(61);
    await runUpkeep(janus.deps);

    expect(during.held).toEqual({ points: "5" });
    expect(during.link).toMatchObject({ clearedAt: null, pushFailures: 1 });
    expect(heldBy(user)).toBeUndefined();
    expect(await linkOf(janus, user)).toMatchObject({ clearedAt: expect.any(Date), pushFailures: 0 });
  });

  test.each([
    [{ points: 9 }, { points: "9" }],
    [{ points: 9, active: false }, undefined],
  ] as const)("is made up for after a kill between the statement and the push: %j", async (claims, after) => {
    const user = newUser();
    await signInWith(user, { points: 5 });
    // What the killed process leaves: the claims are stored, and its lease runs out.
    const stored = JSON.stringify({ active: true, ...claims });
    await janus.database.rows(
      `update organisation_account set claims = '${stored}' where subject = 'subject-of-${user}'`,
    );
    await setTime(janus, "link", "push_due_at", -1, user);
    await setTime(janus, "link", "push_leased_until", -1, user);

    await runUpkeep(janus.deps);

    expect(heldBy(user)).toEqual(after);
  });

  test("is repeated if an earlier push may reach Discord after it", async () => {
    const user = newUser();
    await signInWith(user, { points: 1 });
    const gate = janus.discord.gate("put_role_connection");
    const earlier = signInWith(user, { points: 2 });
    await gate.arrived;
    await signInWith(user, { points: 3 });
    gate.release();
    await earlier;
    const overtaken = heldBy(user);

    janus.clock.advance(PUSH_LEASE_SECONDS + 2);
    await runUpkeep(janus.deps);

    expect(overtaken).toEqual({ points: "2" });
    expect(heldBy(user)).toEqual({ points: "3" });
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null });
  });

  test("clears again if an earlier push may have reached Discord after the clearing", async () => {
    const user = newUser();
    await signInWith(user, { points: 1 });
    const gate = janus.discord.gate("put_role_connection");
    const earlier = signInWith(user, { points: 2 });
    await gate.arrived;
    await signInWith(user, { points: 2, active: false });
    gate.release();
    await earlier;
    const overtaken = heldBy(user);

    janus.clock.advance(PUSH_LEASE_SECONDS + 2);
    await runUpkeep(janus.deps);

    expect(overtaken).toEqual({ points: "2" });
    expect(heldBy(user)).toBeUndefined();
    expect(await linkOf(janus, user)).toMatchObject({ clearedAt: expect.any(Date), pushDueAt: null });
  });

  test("evaluates the claims of a row of the previous release as they are", async () => {
    const user = newUser();
    await signInWith(user, { groups: [], points: 5 });
    const old = JSON.stringify({ preferred_username: "anna", groups: ["members"] });
    await janus.database.rows(
      `update organisation_account set claims = '${old}', sources = default where subject = 'subject-of-${user}'`,
    );

    await pushAgain(user);

    expect(heldBy(user)).toEqual({ member: "1", points: "5" });
  });
});

test("pushLink() takes a claim for unknown that no rule read when the claims were stored", async () => {
  const own = await startJanusWithForger({
    database,
    environment: await writeRules(
      folder,
      `
[admit]
when = 'has(claims.level) && claims.level > 2'
message.en = "Only level 3 and more."
[[record]]
key = "leveled"
type = "boolean_equal"
name = "Leveled"
description = "Has a level"
value = '"level" in claims'
`,
    ),
  });
  const signInHere = async (user: string, claims: Claims): Promise<void> => {
    own.provider.signInAs({ sub: `subject-of-${user}`, ...claims });
    const browser = createBrowser(own.url);
    await browser.get(await reachForgerCallback(browser, user));
  };
  const held = () => own.discord.roleConnection(user)?.metadata;
  const user = newUser();
  await signInHere(user, { level: 3 });
  // As they were stored before the rules read the level.
  await own.database.rows(
    `update organisation_account set claims = '{"preferred_username": "anna"}' where subject = 'subject-of-${user}'`,
  );

  await setTime(own, "link", "push_due_at", -1, user);
  await pushDueLinks(own.deps);
  const unread = held();
  await signInHere(user, {});
  const read = held();
  await own.stop();

  expect(unread).toEqual({ leveled: "1" });
  expect(read).toBeUndefined();
});

test("pushDueLinks() lets other work have its turn between two evaluations", async () => {
  const users = [newUser(), newUser(), newUser(), newUser()];
  for (const user of users) await signInWith(user, { points: 1 });
  await janus.database.rows("update link set push_due_at = now() - interval '1 minute'");
  const events: string[] = [];
  const ruleFaults = { tell: () => void events.push("evaluation") };
  let isOver = false;
  const takeTurn = (): void => {
    events.push("turn");
    if (!isOver) setImmediate(takeTurn);
  };
  setImmediate(takeTurn);

  const { done } = await pushDueLinks({ ...janus.deps, ruleFaults });
  isOver = true;

  expect(done).toBe(users.length);
  expect(events.filter((event) => event === "evaluation")).toHaveLength(users.length);
  expect(events.join()).not.toContain("evaluation,evaluation");
});

describe("a member who is no longer admitted", () => {
  test("reads so at /api/userinfo, and finds the sources and the clearing in the export", async () => {
    const user = newUser();
    await signInWith(user, { points: 5 });
    await signInWith(user, { points: 5, active: false });
    const browser = await signIn(janus, user);

    const { link, role } = await (await callApi(janus, "/api/userinfo", { browser })).json();
    const stored = await (await callApi(janus, "/api/me/export", { browser })).json();

    expect(role.status).toBe("not_admitted");
    expect(link).toMatchObject({ admission: "refused", cleared_at: expect.any(String) });
    expect(link.records).toMatchObject([
      { key: "member", discord_has: null, outcome: "unknown", reason: "claims.groups is missing" },
      { key: "points", discord_has: null, outcome: "value", value: "5" },
    ]);
    expect(stored.link).toMatchObject({ cleared_at: link.cleared_at, pushed_platform_username: null });
    expect(stored.organisation_account).toMatchObject({ sources: {} });
  });
});
