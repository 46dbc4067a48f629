/**
 * Statements that meet, on PostgreSQL: whatever two or three of them are at work on the same few members at once, none
 * waits for one that waits for it. The order in which they lock is in docs/decisions/0028.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";
import type { Prepared, Writer } from "../fixtures/few_members.ts";
import { describePair, describeState, prepare, prepareFor, WRITERS } from "../fixtures/few_members.ts";
import { onPostgres, TABLES } from "../harness/database.ts";
import { usePostgres } from "../harness/hooks.ts";

/** `HAMMER_ROUNDS=20 bun test tests/database/lock_order.test.ts` is for who has changed a statement. */
const ROUNDS = Number(process.env.HAMMER_ROUNDS ?? 1);
const TRIPLES = 200 * ROUNDS;
const PAIRS = 60 * ROUNDS;
/** Of all pairs, those that meet in tables that seem empty, as they are for the first members alone: others at each run. */
const SHARE_OF_EMPTY = process.env.HAMMER_ROUNDS === undefined ? 0.4 : 1;
/** Two that write the same unique key: the program asks again, and the later one finds what the earlier did. */
const COLLISION = "23505";

const LIMIT_MS = 120_000 + ROUNDS * 120_000;

/** Two of each of three. */
const CONNECTIONS = 6;

/**
 * A row that was just locked keeps its statement for a moment, so that statements that take microseconds do meet. The
 * lock comes before the trigger, in PostgreSQL as without one.
 */
const LINGER = `
create function linger() returns trigger language plpgsql as $$
begin
  perform pg_sleep(random() * 0.001);
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
${TABLES.filter((table) => table !== "audit_event")
  .map(
    (table) => `create trigger linger before insert or update or delete on ${table}
for each row when (current_setting('janus.lingers', true) = 'yes') execute function linger();`,
  )
  .join("\n")}`;

const database = usePostgres();
let setup: postgres.Sql;
let sessions: readonly postgres.Sql[] = [];

function connect(settings: Readonly<Record<string, string>>): postgres.Sql {
  const connection = { ...settings, synchronous_commit: "off" };
  const options = { max: 1, fetch_types: false, onnotice: () => undefined, connection };
  return postgres(database.config.url ?? "", options);
}

const shuffled = <Item>(items: readonly Item[]): readonly Item[] =>
  Math.random() < 0.5 ? items : items.toReversed();

type Failure = { readonly together: string; readonly code: string };

/** Each over a connection of its own. */
const runAll = (statements: readonly Prepared[]) =>
  Promise.allSettled(
    statements.map(({ text, values }, index) =>
      sessions[index]?.unsafe(text, [...values] as postgres.ParameterOrJSON<never>[], { prepare: true }),
    ),
  );

/** Runs the statements, twice each with other values, at the same moment on rows in another state. */
async function meet(writers: readonly Writer[]): Promise<readonly Failure[]> {
  await setup.unsafe(describeState());
  const together = [...writers].sort().join(" + ");
  const outcomes = await runAll([...writers, ...writers].map(prepare));
  return outcomes.flatMap((outcome) =>
    outcome.status === "fulfilled" ? [] : [{ together, code: String(outcome.reason.code ?? outcome.reason) }],
  );
}

/** Each two of all, or a share of them. */
const pairsOf = (share: number): readonly (readonly Writer[])[] =>
  WRITERS.flatMap((writer, index) => WRITERS.slice(index).map((other) => [writer, other])).filter(
    () => Math.random() < share,
  );

const count = (names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length] as const).sort(),
  );

/** Counted by the database itself, once each session has told it what it knows. */
async function readDeadlocks(): Promise<number> {
  await Promise.all(sessions.map((session) => session.unsafe("select pg_stat_force_next_flush()")));
  const [row] = await setup.unsafe(
    "select deadlocks::integer from pg_stat_database where datname = current_database()",
  );
  return row?.deadlocks;
}

/** Leaves the planner with statistics of empty tables. */
async function analyzeEmpty(): Promise<void> {
  const tables = TABLES.filter((table) => table !== "audit_event");
  await setup.unsafe(`truncate ${tables.join(", ")}`);
  for (const table of tables) await setup.unsafe(`vacuum analyze ${table}`);
}

/** What is left of the one member that `describePair` makes. A session may have begun while the link was undone. */
const STATE = `
select
  (select count(*)::integer from link) as links,
  (select end_reason from discord_token) as end_reason,
  (select end_due_at is not null from discord_token) as ends,
  (select end_due_at is not null from organisation_token) as ends_at_provider,
  (select claims = '{}' from organisation_account) as is_forgotten,
  (select count(*)::integer from flow) as flows`;
const LINKED = {
  links: 1,
  end_reason: null,
  ends: false,
  ends_at_provider: false,
  is_forgotten: false,
  flows: 0,
};
const UNLINKED = {
  links: 0,
  end_reason: "unlinked",
  ends: true,
  ends_at_provider: true,
  is_forgotten: true,
  flows: 0,
};

describe.if(onPostgres)("statements that meet", () => {
  beforeAll(async () => {
    setup = connect({});
    await setup.unsafe(LINGER);
  });
  afterAll(() => setup?.end());
  // New ones for each test, whichever runs first.
  beforeEach(() => {
    const settings = { deadlock_timeout: "10ms", "janus.lingers": "yes" };
    sessions = Array.from({ length: CONNECTIONS }, () => connect(settings));
  });
  afterEach(() => Promise.all(sessions.map((session) => session.end())));

  test.each([
    ["another link", "finishProviderLeg", true],
    ["the first link", "finishProviderLeg", false],
    ["a move", "confirmMove", true],
  ] as const)(
    "leave a whole link or none for an unlink and %s",
    async (_, writer, isLinked) => {
      const states: unknown[] = [];

      for (let time = 0; time < PAIRS; time++) {
        // The planner makes other plans for tables that it takes for empty.
        if (time === 10) await analyzeEmpty();
        if (time === 30) await setup.unsafe(`${describeState()}; analyze`);
        await setup.unsafe(describePair(writer, isLinked));
        const outcomes = await runAll(shuffled([prepareFor("unlink"), prepareFor(writer)]));
        const [state] = await setup.unsafe(STATE);
        const failure = outcomes.find(({ status }) => status === "rejected");
        const isWhole = [LINKED, UNLINKED].some((whole) => Bun.deepEquals({ ...state }, whole));
        states.push(failure ?? (isWhole ? "whole" : state));
      }

      expect(states).toEqual(states.map(() => "whole"));
    },
    LIMIT_MS,
  );

  test.each([
    ["hold rows", true],
    ["seem empty", false],
  ])(
    "never wait for each other in tables that %s",
    async (_, isFilled) => {
      const failures: Failure[] = [];

      for (let round = 0; round < ROUNDS; round++) {
        await (isFilled ? setup.unsafe(`${describeState()}; analyze`) : analyzeEmpty());
        for (const pair of pairsOf(isFilled ? 1 : SHARE_OF_EMPTY)) failures.push(...(await meet(pair)));
      }
      for (let triple = 0; triple < TRIPLES; triple++) {
        const three = Array.from({ length: 3 }, () => WRITERS[Math.floor(Math.random() * WRITERS.length)]);
        failures.push(...(await meet(three as Writer[])));
      }
      const deadlocks = await readDeadlocks();

      const locked = failures.filter(({ code }) => code === "40P01");
      const broken = failures.filter(({ code }) => code !== "40P01" && code !== COLLISION);
      expect(count(locked.map(({ together }) => together))).toEqual({});
      expect(count(broken.map(({ together, code }) => `${code} ${together}`))).toEqual({});
      expect(deadlocks).toBe(0);
    },
    LIMIT_MS,
  );
});
