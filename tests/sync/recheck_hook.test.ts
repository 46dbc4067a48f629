/** The recheck hook: what a signed request does to the members whom it names, once, and what a wrong one does not. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { upkeepDepsOf } from "../../lib/deps.ts";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import { LOOK_LINKS } from "../../lib/sync/brake.ts";
import { checkDueLinks } from "../../lib/sync/check_round.ts";
import { pushDueLosses } from "../../lib/sync/losses.ts";
import { pushDueLinks } from "../../lib/sync/push.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { createShared } from "../../lib/wiring.ts";
import { askHook, HOOK_SECRET, secondsOf, signHook } from "../fixtures/hook.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { linkOf, rowsOf, setOfLink, trailOf } from "../harness/rows.ts";
import { linkMember, newUser, subjectOf } from "../harness/walk.ts";

const OLD_SECRET = "the-secret-before-0123456789-0123456789";
const NEXT_CHECK_SECONDS = 27 * 3_600;

const database = useDatabase();
const janus = useJanus(() =>
  startJanusWithForger({ database, environment: { HOOK_SECRET: `${HOOK_SECRET},${OLD_SECRET}` } }),
);
/** No pause is left. */
beforeEach(() => {
  janus.provider.reset();
  janus.clock.advance(3_700);
});

async function signIn(user: string): Promise<void> {
  janus.provider.signInAs({ sub: subjectOf(user), preferred_username: "anna" });
  await linkMember(janus, user);
}

/** A linked member, whom Discord has been told of. */
async function linked(): Promise<string> {
  const user = newUser();
  await signIn(user);
  expect(heldBy(user)).toEqual({ dsek_member: "1" });
  return user;
}

/** Discord has ended the grant, so it can be told nothing of the member. */
const endDiscordGrant = (user: string) =>
  database.rows(
    `update discord_token set ended_at = now(), end_cause = 'invalid_grant' where discord_user_id = '${user}'`,
  );
const heldBy = (user: string) => janus.discord.roleConnection(user)?.metadata;
const bodyOf = (users: readonly string[], gone?: boolean) => ({
  subjects: users.map(subjectOf),
  ...(gone === undefined ? {} : { gone }),
});
const askFor = (users: readonly string[], gone?: boolean) => askHook(janus, bodyOf(users, gone));
const answerOf = async (response: Response) => [response.status, await response.json()];
const isDue = async (user: string): Promise<boolean> =>
  ((await linkOf(janus, user))?.checkDueAt as Date) <= janus.clock.now();

/** What was received since, as the log tells it. */
function watchEvents() {
  const before = janus.logLines.length;
  return () =>
    janus.logLines
      .slice(before)
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === "event_received")
      .map(({ source, outcome, discordUserId, reason }) => ({ source, outcome, discordUserId, reason }));
}

/** Another process beside this Janus, on the same database. */
function startReplica() {
  const configuration = { config: janus.config, rules: janus.shared.rules };
  const { now, sleep } = janus.shared;
  const log = { ...NO_LOG, prepare: () => () => undefined };
  const shared = createShared(configuration, database.db, { fetch, now, sleep, log, version: "0.0.0-test" });
  const app = createApp(shared, UNHEARD);
  return {
    deps: upkeepDepsOf(shared),
    ask: (body: string, headers: Readonly<Record<string, string>>) =>
      app.fetch(new Request(`${janus.url}/hooks/recheck`, { method: "POST", headers, body })),
  };
}

/** Links of another issuer, by their number, whose checks are due after those of the test. */
async function leaveOthers(count: number): Promise<void> {
  const dueAt = new Date(janus.clock.now().getTime() + 3_600_000).toISOString();
  const numbers = `generate_series(1, ${count}) as n`;
  const statements = [
    `insert into discord_account select n::text, 'crowd', null, now(), now() from ${numbers}`,
    `insert into discord_token
      (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
    select n::text, 'a', 'r', 'identify', now() + interval '7 days', now() from ${numbers}`,
    `insert into organisation_account (issuer, subject, claims, claims_seen_at, created_at)
    select 'https://crowd.example', n::text, '{}', now() - interval '1 day', now() from ${numbers}`,
    `insert into link (discord_user_id, issuer, subject, linked_at, check_due_at)
    select n::text, 'https://crowd.example', n::text, now(), '${dueAt}' from ${numbers}`,
  ];
  for (const statement of statements) await database.rows(statement);
}

describe("POST /hooks/recheck", () => {
  test("does not exist without HOOK_SECRET", async () => {
    const closed = await startJanusWithForger({ database });
    try {
      const response = await askHook(closed, bodyOf(["1"]));

      expect(response.status).toBe(404);
    } finally {
      await closed.stop();
    }
  });

  test("makes the claims of the named members due now, and counts those who are linked", async () => {
    const [anna, bo, other] = [await linked(), await linked(), await linked()];
    const before = await linkOf(janus, other);
    const eventsSince = watchEvents();

    const response = await askHook(janus, bodyOf([anna, bo, bo, "nobody"]));

    expect(await answerOf(response)).toEqual([200, { outcome: "rechecked", rechecked: 2, unknown: 1 }]);
    expect([await isDue(anna), await isDue(bo)]).toEqual([true, true]);
    expect((await linkOf(janus, other))?.checkDueAt).toEqual(before?.checkDueAt);
    expect(await trailOf(janus, anna)).toContain("recheck_asked");
    const events = eventsSince();
    expect(events.map(({ discordUserId }) => discordUserId).sort()).toEqual([anna, bo].sort());
    expect(events[0]).toMatchObject({ source: "hook", outcome: "rechecked" });
  });

  test("lets the provider's answer decide", async () => {
    const user = await linked();
    const sent = janus.provider.sentRefreshTokens.length;

    await askFor([user]);
    await runUpkeep(janus.deps);

    expect(janus.provider.sentRefreshTokens.length).toBe(sent + 1);
    expect(heldBy(user)).toEqual({ dsek_member: "1" });
  });

  test("takes the role of a member who is gone, though the provider is silent", async () => {
    const user = await linked();
    janus.provider.direct({
      choose: ({ operation }) => (operation === "token_refresh" ? { status: 503, body: "" } : undefined),
      done: () => undefined,
    });

    const response = await askFor([user], true);
    await runUpkeep(janus.deps);
    janus.provider.direct(undefined);

    expect(await answerOf(response)).toEqual([200, { outcome: "ended", rechecked: 1, unknown: 0 }]);
    expect(heldBy(user)).toBeUndefined();
    expect(await linkOf(janus, user)).toMatchObject({
      clearCause: "membership_ended",
      goneSource: "hook",
      lossFoundAt: null,
      lossDueAt: null,
    });
    expect(await trailOf(janus, user)).toEqual(
      expect.arrayContaining(["membership_ended", "role_connection_cleared"]),
    );
  });

  test("tells the trail which source has said so", async () => {
    const user = await linked();

    await askFor([user], true);

    const rows = await rowsOf(janus, "audit_event");
    expect(rows.find((row) => row.action === "membership_ended" && row.discordUserId === user)).toMatchObject(
      {
        subject: subjectOf(user),
        detail: { source: "hook" },
        requestId: expect.any(String),
      },
    );
  });

  test("keeps a member gone, whatever the provider says later", async () => {
    const user = await linked();
    await askFor([user], true);
    await runUpkeep(janus.deps);

    janus.clock.advance(NEXT_CHECK_SECONDS);
    await runUpkeep(janus.deps);

    expect(heldBy(user)).toBeUndefined();
    expect((await linkOf(janus, user))?.goneAt).not.toBeNull();
  });

  test("gives the role back when the membership goes on", async () => {
    const user = await linked();
    await askFor([user], true);
    await runUpkeep(janus.deps);
    expect(heldBy(user)).toBeUndefined();

    const response = await askFor([user], false);
    await runUpkeep(janus.deps);

    expect(await answerOf(response)).toEqual([200, { outcome: "restored", rechecked: 1, unknown: 0 }]);
    expect(heldBy(user)).toEqual({ dsek_member: "1" });
    expect(await linkOf(janus, user)).toMatchObject({ goneAt: null, goneSource: null });
    expect(await trailOf(janus, user)).toContain("membership_restored");
  });

  test("takes nothing where the end is taken back before Discord was told", async () => {
    const user = await linked();
    const calls = janus.discord.calls.length;

    await askFor([user], true);
    await askFor([user], false);
    await runUpkeep(janus.deps);

    expect(heldBy(user)).toEqual({ dsek_member: "1" });
    expect(janus.discord.calls.slice(calls).some(({ operation }) => operation.includes("delete"))).toBe(
      false,
    );
    expect(await linkOf(janus, user)).toMatchObject({ goneAt: null, lossFoundAt: null, clearedAt: null });
  });

  test("says rechecked where the same was said before", async () => {
    const user = await linked();

    const back = await askFor([user], false);
    await askFor([user], true);
    const again = await askFor([user], true);

    for (const response of [back, again])
      expect(await answerOf(response)).toEqual([200, { outcome: "rechecked", rechecked: 1, unknown: 0 }]);
    const trail = await trailOf(janus, user);
    expect(trail.filter((action) => action === "membership_ended")).toHaveLength(1);
  });

  test("does not take back what a SCIM client has said", async () => {
    const user = await linked();
    await setOfLink(janus, "link", "gone_at = now(), gone_source = 'scim'", user);

    await askFor([user], false);

    expect(await linkOf(janus, user)).toMatchObject({ goneSource: "scim" });
    expect(await trailOf(janus, user)).not.toContain("membership_restored");
  });

  test("lets a member come back by signing in at the provider again", async () => {
    const user = await linked();
    await askFor([user], true);
    await runUpkeep(janus.deps);

    await signIn(user);

    expect(heldBy(user)).toEqual({ dsek_member: "1" });
    expect(await linkOf(janus, user)).toMatchObject({ goneAt: null, goneSource: null });
  });

  test("has nothing to do for subjects that nobody has linked, and does not repeat them", async () => {
    const eventsSince = watchEvents();

    const response = await askFor(["nobody"], true);

    expect(response.status).toBe(200);
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({ outcome: "ignored", rechecked: 0, unknown: 1 });
    expect(text).not.toContain("subject-of");
    expect(eventsSince()).toEqual<unknown>([{ source: "hook", outcome: "ignored" }]);
  });

  test("concerns only members of the issuer that is configured", async () => {
    await leaveOthers(1);

    const response = await askHook(janus, { subjects: ["1"], gone: true });

    expect(await answerOf(response)).toEqual([200, { outcome: "ignored", rechecked: 0, unknown: 1 }]);
    expect((await linkOf(janus, "1"))?.goneAt).toBeNull();
  });

  test("takes a thousand subjects", async () => {
    const user = await linked();
    const others = Array.from({ length: 999 }, (_, index) => `nobody-${index}`);

    const response = await askFor([...others, user]);

    expect(await answerOf(response)).toEqual([200, { outcome: "rechecked", rechecked: 1, unknown: 999 }]);
  });

  test("takes what the old secret has signed, while it stands behind the new one", async () => {
    const user = await linked();

    const response = await askHook(janus, bodyOf([user]), { secret: OLD_SECRET });

    expect(response.status).toBe(200);
  });
});

describe("a request to the hook that has come before", () => {
  test("does nothing, and is told so", async () => {
    const user = await linked();
    const id = `msg_${crypto.randomUUID()}`;
    await askHook(janus, bodyOf([user], true), { id });
    await runUpkeep(janus.deps);
    await signIn(user);
    const eventsSince = watchEvents();

    const again = await askHook(janus, bodyOf([user], true), { id });

    expect(await answerOf(again)).toEqual([200, { outcome: "repeated", rechecked: 0, unknown: 0 }]);
    expect((await linkOf(janus, user))?.goneAt).toBeNull();
    expect(eventsSince()).toEqual<unknown>([{ source: "hook", outcome: "repeated" }]);
  });

  test("does nothing at another process either, sent at the same moment", async () => {
    const user = await linked();
    const replica = startReplica();
    const body = JSON.stringify(bodyOf([user], true));
    const headers = signHook(body, janus.clock.now());
    const send = () => fetch(`${janus.url}/hooks/recheck`, { method: "POST", headers, body });

    const answers = await Promise.all(
      [send(), replica.ask(body, headers), send(), replica.ask(body, headers)].map(async (answer) =>
        (await answer).json(),
      ),
    );

    const outcomes = answers.map(({ outcome }: { readonly outcome: string }) => outcome).sort();
    expect(outcomes).toEqual(["ended", "repeated", "repeated", "repeated"]);
    const ended = (await trailOf(janus, user)).filter((action) => action === "membership_ended");
    expect(ended).toHaveLength(1);
  });

  test("is carried out by another process if the first died after storing it", async () => {
    const user = await linked();
    const replica = startReplica();

    // This process does not look again.
    await askFor([user], true);
    await runUpkeep(replica.deps);

    expect(heldBy(user)).toBeUndefined();
  });

  test("is forgotten after days, when its timestamp is refused", async () => {
    await askFor(["nobody"]);
    expect(await rowsOf(janus, "received_event")).toHaveLength(1);

    janus.clock.advance(4 * 86_400);
    await runUpkeep(janus.deps);

    expect(await rowsOf(janus, "received_event")).toEqual([]);
  });
});

describe("a wrong request to the hook", () => {
  const unsigned = (headers: Readonly<Record<string, string>>, body = JSON.stringify(bodyOf(["1"], true))) =>
    fetch(`${janus.url}/hooks/recheck`, { method: "POST", headers, body });
  const stale = () => secondsOf(new Date(janus.clock.now().getTime() - 301_000));
  const ahead = () => secondsOf(new Date(janus.clock.now().getTime() + 305_000));

  test.each([
    ["without a signature", () => unsigned({}), "webhook-id"],
    [
      "with a bearer token instead",
      () =>
        unsigned({ authorization: `Bearer ${HOOK_SECRET}`, "webhook-id": "1", "webhook-timestamp": stale() }),
      "webhook-signature",
    ],
    ["of another secret", () => askHook(janus, bodyOf(["1"]), { secret: "x".repeat(40) }), "fits no key"],
    ["that is old", () => askHook(janus, bodyOf(["1"]), { timestamp: stale() }), "300 seconds"],
    ["from the future", () => askHook(janus, bodyOf(["1"]), { timestamp: ahead() }), "300 seconds"],
    ["whose body was changed", () => unsigned(signHook("{}", janus.clock.now())), "fits no key"],
  ])("%s is refused with 401 and why", async (_, send, reason) => {
    const eventsSince = watchEvents();

    const response = await send();

    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ reason: expect.stringContaining(reason) });
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(eventsSince()).toEqual<unknown>([
      { source: "hook", outcome: "refused", reason: expect.stringContaining(reason) },
    ]);
    expect(await rowsOf(janus, "received_event")).toEqual([]);
  });

  test.each<readonly [string, unknown, string]>([
    ["is no JSON", "{", "JSON"],
    ["is empty", "", "JSON"],
    ["is a list", [], "object"],
    ["is null", null, "object"],
    ["names nobody", {}, "object"],
    ["has no subjects", { subjects: [] }, "not be empty"],
    ["has one subject as a text", { subjects: "a" }, "a list"],
    ["has a number as a subject", { subjects: [1] }, "a text"],
    ["has an empty subject", { subjects: ["a", ""] }, "1 to 255"],
    ["has a subject that is too long", { subjects: ["a".repeat(256)] }, "1 to 255"],
    ["has a subject with a zero byte", { subjects: ["a\u0000"] }, "1 to 255"],
    ["has half a character as a subject", '{"subjects":["\\ud800"]}', "1 to 255"],
    ["has too many subjects", { subjects: Array.from({ length: 1_001 }, String) }, "at most 1000"],
    ["has gone as a text", { subjects: ["a"], gone: "true" }, "true or false"],
    ["has gone as null", { subjects: ["a"], gone: null }, "true or false"],
    ["has a name that is misspelt", { subjects: ["a"], Gone: true }, "nothing else"],
  ])("whose body %s is refused with 400 and why", async (_, body, reason) => {
    const eventsSince = watchEvents();

    const response = await askHook(janus, body);

    expect(await answerOf(response)).toEqual([400, { reason: expect.stringContaining(reason) }]);
    expect(eventsSince()).toMatchObject([{ source: "hook", outcome: "refused" }]);
    expect(await rowsOf(janus, "received_event")).toEqual([]);
  });

  test("whose body is not UTF-8 is refused with 400", async () => {
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    const headers = signHook(body, janus.clock.now());

    const response = await fetch(`${janus.url}/hooks/recheck`, { method: "POST", headers, body });

    expect(await answerOf(response)).toEqual([400, { reason: "the body must be UTF-8" }]);
  });

  test("whose body is too large is refused with 413", async () => {
    const response = await askHook(janus, { subjects: ["a".repeat(70_000)] });

    expect(response.status).toBe(413);
  });

  test("may be sent again once the body is right, under the same id", async () => {
    const user = await linked();
    const id = `msg_${crypto.randomUUID()}`;
    await askHook(janus, "{", { id });

    const response = await askHook(janus, bodyOf([user]), { id });

    expect(await answerOf(response)).toEqual([200, { outcome: "rechecked", rechecked: 1, unknown: 0 }]);
  });

  test("answers a GET with 405", async () => {
    const response = await fetch(`${janus.url}/hooks/recheck`);

    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

describe("an end that comes while Janus works on the link", () => {
  test("is not lost to a check under way", async () => {
    const user = await linked();
    await setOfLink(janus, "link", "check_due_at = now() - interval '1 day'", user);
    const gate = janus.provider.gate("token_refresh");
    const checking = checkDueLinks(janus.deps);
    await gate.arrived;

    await askFor([user], true);
    gate.release();
    await checking;
    await pushDueLosses(janus.deps);

    expect(heldBy(user)).toBeUndefined();
  });

  test("is not lost to a push under way", async () => {
    const user = await linked();
    await setOfLink(janus, "link", "push_due_at = now() - interval '1 day'", user);
    const gate = janus.discord.gate("put_role_connection", "answer");
    const pushing = pushDueLinks(janus.deps);
    await gate.arrived;

    await askFor([user], true);
    gate.release();
    await pushing;
    await pushDueLosses(janus.deps);

    expect(heldBy(user)).toBeUndefined();
  });

  test("does not wait until other links are read", async () => {
    const user = await linked();
    await leaveOthers(LOOK_LINKS + 30);

    await askFor([user], true);
    await pushDueLosses(janus.deps);

    expect(heldBy(user)).toBeUndefined();
  });

  test("waits if too many memberships end at once", async () => {
    const users = [];
    for (let count = 0; count < 12; count += 1) users.push(await linked());

    await askFor(users, true);
    await runUpkeep(janus.deps);

    expect(users.map(heldBy)).toEqual(users.map(() => ({ dsek_member: "1" })));
    expect((await rowsOf(janus, "brake"))[0]).toMatchObject({ heldAt: expect.any(Date) });
  });

  test("makes no loss of members whose grant at Discord is over, so that they hold nobody else's", async () => {
    for (const table of ["link", "brake"]) await database.rows(`delete from ${table}`);
    const users = [];
    for (let count = 0; count < 12; count += 1) users.push(await linked());
    for (const user of users) await endDiscordGrant(user);

    await askFor(users, true);
    await runUpkeep(janus.deps);

    expect(await Promise.all(users.map((user) => linkOf(janus, user)))).toMatchObject(
      users.map(() => ({ goneAt: expect.any(Date), lossFoundAt: null, lossDueAt: null })),
    );
    expect(await rowsOf(janus, "brake")).toEqual([]);
  });

  test("makes no such loss either while the provider is silent", async () => {
    const user = await linked();
    await endDiscordGrant(user);
    janus.provider.failNext("token_refresh", { status: 503, body: "" });

    await askFor([user], true);
    await checkDueLinks(janus.deps);

    expect(await linkOf(janus, user)).toMatchObject({ lossFoundAt: null, lossDueAt: null });
  });
});

test("From the hook to Discord, an end takes less than five seconds by itself", async () => {
  const user = await linked();
  const upkeep = startUpkeep(janus.deps);
  try {
    const from = performance.now();
    const gate = janus.discord.gate("delete_role_connection");

    await askFor([user], true);
    await gate.arrived;
    gate.release();

    expect(performance.now() - from).toBeLessThan(5_000);
  } finally {
    await upkeep.stop();
  }
  expect(heldBy(user)).toBeUndefined();
});
