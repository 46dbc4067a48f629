/** The trail as an operator reads it: its order, its filters, and how a list goes on. */
import { describe, expect, test } from "bun:test";
import { createQueries } from "../../lib/database/queries.ts";
import { ACTIONS } from "../../lib/database/statements/audit_event.ts";
import type { EventFilter } from "../../lib/operator/audit_log.ts";
import { listEvents } from "../../lib/operator/audit_log.ts";
import { createTestDatabase } from "../harness/database.ts";
import { useForEach } from "../harness/hooks.ts";

// Nothing empties the trail, so each test has its own.
const database = useForEach(createTestDatabase, ({ drop }) => drop());
const needs = () => ({ queries: createQueries(database.db) });

const DAY_MS = 86_400_000;
const BEGINNING = new Date("2026-01-01T00:00:00Z");
const day = (number: number): Date => new Date(BEGINNING.getTime() + number * DAY_MS);

/** An event a day, of two members in turn, each third one by an operator. */
const fill = (count: number) =>
  database.rows(`insert into audit_event (occurred_at, action, discord_user_id, operator)
    select timestamptz '2026-01-01Z' + n * interval '1 day', (array['linked', 'unlinked'])[1 + n % 2], (n % 2)::text,
      case when n % 3 = 0 then 'anna' end
    from generate_series(0, ${count - 1}) as n order by n`);
const daysOf = async (filter: EventFilter, limit = 100, before?: string) => {
  const { events, next } = await listEvents(needs(), filter, { limit, before });
  const days = events.map(({ occurredAt }) => (occurredAt.getTime() - BEGINNING.getTime()) / DAY_MS);
  return { days, next };
};

describe("listEvents()", () => {
  test("lists nothing where nothing happened", async () => {
    expect(await daysOf({})).toEqual({ days: [], next: null });
  });

  test.each([
    ["the newest first", {}, [5, 4, 3, 2, 1, 0]],
    ["those of a member", { discordUserId: "1" }, [5, 3, 1]],
    ["nothing of somebody else", { discordUserId: "7" }, []],
    ["an action", { action: "linked" }, [4, 2, 0]],
    ["from a time on", { since: day(4) }, [5, 4]],
    ["before a time", { until: day(2) }, [1, 0]],
    ["within a time", { since: day(1), until: day(3) }, [2, 1]],
    ["nothing after the last", { since: day(6) }, []],
    ["all together", { discordUserId: "0", action: "linked", since: day(1), until: day(4) }, [2]],
  ] as const)("lists %s", async (_, filter, days) => {
    await fill(6);

    expect(await daysOf(filter)).toEqual({ days: [...days], next: null });
  });

  test.each([{}, { discordUserId: "1" }])("goes on where a list ended, of %j", async (filter) => {
    await fill(12);
    const all = await daysOf(filter);

    const first = await daysOf(filter, 4);
    const rest = await daysOf(filter, 100, first.next ?? "");

    expect(first.days).toHaveLength(4);
    expect([...first.days, ...rest.days]).toEqual(all.days);
    expect(rest.next).toBeNull();
  });

  test("finds the one event of many that fits, over all pages", async () => {
    await database.rows(`insert into audit_event (occurred_at, action, operator)
      select timestamptz '2026-01-01Z' + n * interval '1 second', case n when 7 then 'keys_rotated' else 'linked' end, 'anna'
      from generate_series(1, 12000) as n order by n`);

    const { events, next } = await listEvents(needs(), { action: "keys_rotated" }, { limit: 1 });

    expect(events).toMatchObject([{ operator: "anna", discordUserId: null }]);
    expect(next).toBeNull();
  });
});

test("ACTIONS are those that the database takes", async () => {
  const [row] = await database.rows(
    "select pg_get_constraintdef(oid) as said from pg_constraint where conname = 'audit_event_action_check'",
  );

  const taken = [...String(row?.said).matchAll(/'(\w+)'/g)].map(([, action]) => action);

  expect([...ACTIONS].sort()).toEqual(taken.sort() as (typeof ACTIONS)[number][]);
});
