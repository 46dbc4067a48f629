/** Figures for a report: each by itself, and that they name nobody. */
import { describe, expect, test } from "bun:test";
import { createQueries } from "../../lib/database/queries.ts";
import { readStats } from "../../lib/operator/stats.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { createTestDatabase } from "../harness/database.ts";
import { useForEach } from "../harness/hooks.ts";

// Nothing empties the trail, so each test has its own.
const database = useForEach(createTestDatabase, ({ drop }) => drop());
/** A Wednesday. */
const NOW = new Date("2026-11-25T12:00:00Z");
const read = (weeks = 2, at = NOW) =>
  readStats({ queries: createQueries(database.db), now: () => at }, weeks);
const happened = (at: string, ...actions: readonly string[]) =>
  database.rows(
    `insert into audit_event (occurred_at, action) select '${at}', action
     from unnest(string_to_array('${actions.join()}', ',')) as action`,
  );

describe("readStats()", () => {
  test("counts nothing where nothing is stored", async () => {
    const stats = await read(1);

    expect(stats).toMatchObject({
      links: { all: 0 },
      records: [],
      checks: { withinDay: 0, withinWeek: 0, failing: 0 },
      weeks: [{ week: "2026-11-23", begun: 0, finished: 0, linked: 0, unlinked: 0 }],
      browsers: [],
      events: [],
    });
  });

  test("counts links by state, records without a no, and checks by age", async () => {
    await addLinkOf(database, { discordUserId: "1", pushed: { member: "1", points: "3" } });
    await addLinkOf(database, { discordUserId: "2", pushed: { member: "0" } });
    await addLinkOf(database, { discordUserId: "3", pushed: { member: "1" }, isCleared: true });
    await database.rows(
      "update organisation_account set claims_seen_at = '2026-11-20' where subject = 'sub-1'",
    );
    await database.rows("update link set check_failures = 1 where subject = 'sub-2'");

    const { links, records, checks } = await read();

    expect(links).toEqual({ all: 3, told: 2, waiting: 0, losing: 0, disconnected: 0, cleared: 1 });
    expect(records).toEqual([
      { key: "member", given: 1, zero: 1 },
      { key: "points", given: 1, zero: 0 },
    ]);
    expect(checks).toMatchObject({ failing: 1, withinWeek: 3 });
  });

  test("counts what happened by week, from Monday on", async () => {
    await happened("2026-11-15T23:59:59Z", "linked");
    await happened("2026-11-16T00:00:00Z", "discord_authorized", "linked", "not_admitted");
    await happened("2026-11-22T23:59:59Z", "relinked", "unlinked", "signed_in");
    await happened("2026-11-23T00:00:00Z", "link_moved", "link_replaced", "role_connection_pushed");

    const { weeks } = await read();

    const none = {
      begun: 0,
      finished: 0,
      notAdmitted: 0,
      linked: 0,
      unlinked: 0,
      signedIn: 0,
      pushed: 0,
      cleared: 0,
    };
    expect(weeks).toEqual([
      {
        ...none,
        week: "2026-11-16",
        begun: 1,
        finished: 2,
        notAdmitted: 1,
        linked: 1,
        unlinked: 1,
        signedIn: 1,
      },
      { ...none, week: "2026-11-23", finished: 1, linked: 1, unlinked: 1, pushed: 1 },
    ]);
  });

  test.each([
    ["a Monday", "2026-11-23T00:00:00Z", "2026-11-23"],
    ["a Sunday", "2026-11-29T23:59:59Z", "2026-11-23"],
    ["the turn of a year", "2027-01-02T12:00:00Z", "2026-12-28"],
  ])("begins the week on %s with its Monday", async (_, at, week) => {
    await happened(at, "linked");

    const { weeks } = await read(1, new Date(at));

    expect(weeks).toMatchObject([{ week, linked: 1 }]);
  });
});
