/** What follows from an event of another server: its line, its count, and work that is done at once. */
import { describe, expect, test } from "bun:test";
import { databaseUnavailable } from "../../lib/errors.ts";
import { auditLinks } from "../../lib/operator/audit.ts";
import { startUpkeep } from "../../lib/server/upkeep.ts";
import { checkDueLinks } from "../../lib/sync/check_round.ts";
import { createEventCounts, receiveEvent, storeEventCounts } from "../../lib/sync/doorbell.ts";
import { tellDueLosses } from "../../lib/sync/losses.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linesOf } from "../harness/seen.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, forger: { freshSubjects: true } }));

const audit = async () => {
  const { queries, now, config } = janus.deps;
  return auditLinks({ queries, now, sync: config.sync });
};

describe("receiveEvent()", () => {
  test("writes one line for each member, and counts the event once", async () => {
    const before = linesOf(janus, "event_received").length;
    const deps = { ...janus.deps, eventCounts: createEventCounts() };

    receiveEvent(deps, "hook", "rechecked", ["1", "2"]);
    receiveEvent(deps, "hook", "refused");

    expect(linesOf(janus, "event_received").slice(before)).toMatchObject([
      { source: "hook", outcome: "rechecked", discordUserId: "1" },
      { source: "hook", outcome: "rechecked", discordUserId: "2" },
      { source: "hook", outcome: "refused" },
    ]);
    expect(deps.eventCounts.take()).toEqual([
      { source: "hook", outcome: "rechecked", events: 1 },
      { source: "hook", outcome: "refused", events: 1 },
    ]);
  });

  test("is told to janus audit, which forgets it after a week", async () => {
    janus.clock.advance(40 * 86_400);
    const deps = { ...janus.deps, eventCounts: createEventCounts() };
    receiveEvent(deps, "scim", "refused");
    receiveEvent(deps, "scim", "ignored");
    await storeEventCounts(deps);
    receiveEvent(deps, "scim", "refused");
    await storeEventCounts(deps);

    const { events, findings } = await audit();
    janus.clock.advance(9 * 86_400);
    const later = await audit();

    expect(events).toEqual([
      { source: "scim", outcome: "ignored", count: 1 },
      { source: "scim", outcome: "refused", count: 2 },
    ]);
    expect(findings).toContainEqual({ kind: "events_refused", count: 2, examples: ["scim"] });
    expect(later.events).toEqual([]);
  });

  test("keeps its counts while the database is away", async () => {
    const away = {
      ...janus.deps.queries,
      addEventCounts: () => Promise.reject(databaseUnavailable("no connection")),
    };
    const deps = { ...janus.deps, queries: away, eventCounts: createEventCounts() };
    receiveEvent(deps, "logout", "ignored");

    await storeEventCounts(deps);
    receiveEvent(deps, "logout", "ignored");

    expect(deps.eventCounts.take()).toEqual([{ source: "logout", outcome: "ignored", events: 2 }]);
  });
});

test("an end is recorded although a check of the member is recorded while Discord is being told", async () => {
  janus.clock.advance(3_700);
  const user = newUser();
  await linkMember(janus, user);
  await database.rows(`select end_membership('${user}', 'hook', '${janus.clock.now().toISOString()}')`);
  const clearing = janus.discord.gate("delete_role_connection");

  const telling = tellDueLosses(janus.deps);
  await clearing.arrived;
  await checkDueLinks(janus.deps);
  clearing.release();
  await telling;

  const [row] = await database.rows(`select clear_cause, loss_due_at, push_leased_until, check_leased_until
    from link where discord_user_id = '${user}'`);
  expect(row).toEqual({
    clearCause: "membership_ended",
    lossDueAt: null,
    pushLeasedUntil: null,
    checkLeasedUntil: null,
  });
});

test("an end does not wait behind checks that the provider keeps waiting", async () => {
  janus.clock.advance(3_700);
  const [user, other] = [newUser(), newUser()];
  for (const one of [user, other]) await linkMember(janus, one);
  const now = `'${janus.clock.now().toISOString()}'`;
  await database.rows(`update link set check_due_at = ${now} where discord_user_id = '${other}'`);
  const checks = janus.provider.gate("token_refresh");
  const clearing = janus.discord.gate("delete_role_connection");
  const upkeep = startUpkeep(janus.deps);
  receiveEvent(janus.deps, "hook", "rechecked", [other]);
  await checks.arrived;

  await database.rows(`select end_membership('${user}', 'hook', ${now})`);
  receiveEvent(janus.deps, "hook", "ended", [user]);
  await clearing.arrived;
  clearing.release();
  checks.release();
  await upkeep.stop();

  expect(janus.discord.roleConnection(user)).toBeUndefined();
});

test("an alarm has upkeep clear the role of a member who is gone, without waiting for its round", async () => {
  janus.clock.advance(3_700);
  const user = newUser();
  await linkMember(janus, user);
  const gone = `'${janus.clock.now().toISOString()}'`;
  const upkeep = startUpkeep(janus.deps);
  const before = janus.discord.roleConnection(user)?.metadata;

  await database.rows(`select end_membership('${user}', 'hook', ${gone})`);
  receiveEvent(janus.deps, "hook", "ended", [user]);
  const deadline = Date.now() + 4_000;
  while (janus.discord.roleConnection(user) !== undefined && Date.now() < deadline) await Bun.sleep(20);
  await upkeep.stop();

  expect(before).toEqual({ dsek_member: "1" });
  expect(janus.discord.roleConnection(user)).toBeUndefined();
  const [row] = await database.rows(`select clear_cause from link where discord_user_id = '${user}'`);
  expect(row).toMatchObject({ clearCause: "membership_ended" });
});
