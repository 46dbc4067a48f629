/** What the doctor says of the sync: overdue checks, held losses, old claims. */
import { expect, test } from "bun:test";
import type { Given } from "../fixtures/doctor.ts";
import { diagnose, SHARED_SECRETS } from "../fixtures/doctor.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, environment: SHARED_SECRETS }));

const RELEASE =
  "Look at what has changed at the provider or in the rules. If the losses are right: janus sync --release shows how many, and asks.";
const RUN =
  "See that a server with SYNC=on runs on this database, and that the provider answers it: its log says why it does not.";
const AUDIT = "janus audit names some of these members, and says why their claims are not read.";

const examined = async (given: Given = {}) => (await diagnose(janus, given)).find(({ id }) => id === "sync");

async function addLinks(...changes: readonly string[]): Promise<void> {
  await addLinkOf(database, { discordUserId: "1" });
  await addLinkOf(database, { discordUserId: "2" });
  for (const change of changes) await database.rows(change);
}

const OVERDUE = "update link set check_due_at = now() - interval '2 hours'";
const OLD =
  "update organisation_account set claims_seen_at = now() - interval '49 hours' where subject = 'sub-1'";
const LOSING = "update link set loss_found_at = now(), loss_due_at = now()";
const HELD = "insert into brake (held_at) values (now())";

const STOPPED = `insert into upstream_budget (upstream, free_at, refusals, refusals_since, blocks, blocked_since,
    blocked_until, block_cause)
  select 'discord', now(), 0, now(), 0, date_trunc('second', now()) - interval '1 minute',
    date_trunc('second', now()) + interval '10 minutes', 'refusals'`;

const SAID = {
  overdue: "Checks are overdue: the claims of 2 members should have been read more than an hour ago.",
  old: "Claims are old: those of 1 member are from more than 48 hours ago.",
  held: "The brake holds losses: 2 members would lose something.",
};

test("examine() finds the sync well where links are read in time", async () => {
  await addLinks();

  expect(await examined()).toEqual({
    id: "sync",
    state: "ok",
    detail:
      "Upkeep is not stopped, no check is overdue, no loss is held, and no claims are older than 48 hours.",
    remedy: null,
  });
});

test("examine() tells of grants that Discord has ended, and finds the sync well", async () => {
  await addLinks("update discord_token set ended_at = now(), end_cause = 'invalid_grant'");

  expect(await examined()).toMatchObject({
    state: "ok",
    detail: expect.stringContaining(
      "Discord has ended the grants of 2 members, who can sign in again: janus audit names some.",
    ),
  });
});

test.each([
  ["overdue checks", [OVERDUE], SAID.overdue, RUN],
  ["old claims", [OLD], SAID.old, AUDIT],
  ["held losses", [LOSING, HELD], SAID.held, RELEASE],
  [
    "all three",
    [OVERDUE, OLD, LOSING, HELD],
    `${SAID.held} ${SAID.overdue} ${SAID.old}`,
    `${RELEASE} ${RUN} ${AUDIT}`,
  ],
] as const)("examine() warns of %s, and says what to do", async (_, changes, detail, remedy) => {
  await addLinks(...changes);

  expect(await examined()).toEqual({ id: "sync", state: "warning", detail, remedy });
});

test("examine() says first of all that upkeep is stopped, since when, until when, why, and what to do", async () => {
  await addLinks(OVERDUE, STOPPED);

  const check = await examined();

  expect(check).toMatchObject({ id: "sync", state: "warning" });
  expect(check?.detail).toMatch(
    /^Discord is asked for nothing by upkeep, since 20\S+Z and until 20\S+Z: it has refused 1,500 calls .+ Checks are overdue/,
  );
  expect(check?.remedy).toStartWith("Look in the log for upstream_call with status 401, 403 or 429.");
});

test("examine() measures the age of claims by SYNC_EVERY_HOURS", async () => {
  await addLinks(OLD);

  expect(await examined({ environment: { SYNC_EVERY_HOURS: "25" } })).toMatchObject({ state: "ok" });
});

test("examine() does not know the sync if its variables have faults", async () => {
  const check = await examined({ environment: { SYNC_EVERY_HOURS: "never" } });

  expect(check).toMatchObject({ state: "unknown", remedy: "Mend the configuration first." });
});
