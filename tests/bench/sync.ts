/**
 * What it costs to keep a link true, with a provider that answers at once: its claims are read again and are as before.
 * Discord is not asked, since its limit would be what is measured.
 */
import postgres from "postgres";
import type { Query } from "../../lib/database/run.ts";
import { leaveDueLinks } from "../fixtures/due_links.ts";
import type { Effort } from "./measure.ts";
import type { Environment, Program } from "./programs.ts";
import { startProgram } from "./programs.ts";
import type { Figure } from "./report.ts";
import type { Round } from "./rounds.ts";
import { alternate, context, perCpuSecond, ratio } from "./rounds.ts";
import type { Standins } from "./walk.ts";

/** A program with links of its own. */
type Syncing = { readonly program: Program; readonly sql: postgres.Sql };

const PEOPLE = ["members", "committee-pub", "committee-web", "alumni"];
const LOOK_EVERY_MS = 50;
/** As many a second as SYNC_PROVIDER_PER_SECOND may be. */
const MOST_A_SECOND = "1000";

/** Links of the same members in both databases, each with its own tokens. */
export async function measureSync(
  effort: Effort,
  own: Environment,
  bare: Environment,
  standins: Standins,
): Promise<Figure[]> {
  await using started = new AsyncDisposableStack();
  const start = async (file: string, environment: Environment): Promise<Syncing> => {
    const sql = postgres(environment.DATABASE_URL ?? "", {
      max: 1,
      fetch_types: false,
      onnotice: () => undefined,
    });
    started.defer(() => sql.end());
    await leaveLinks(sql, environment, standins, effort.linksPerRound);
    const program = await startProgram(file, { ...environment, SYNC_PROVIDER_PER_SECOND: MOST_A_SECOND });
    started.defer(program.stop);
    return { program, sql };
  };
  const janus = await start("tests/bench/eager_server.ts", own);
  const reference = await start("tests/bench/sync_reference.ts", bare);
  const walBefore = await readWal(janus.sql);
  const [ownRounds, bareRounds] = await alternate(
    effort.syncRounds,
    () => syncRound(janus, effort.linksPerRound),
    () => syncRound(reference, effort.linksPerRound, "/sync"),
    async () => {
      await syncRound(reference, effort.linksPerRound, "/sync");
      await syncRound(janus, effort.linksPerRound);
    },
  );
  const synced = effort.linksPerRound * (effort.syncRounds + 1);
  const walBytes = (await readWal(janus.sql)) - walBefore;
  return [
    {
      name: "CPU time a link synced, of a bare loop's",
      value: ratio(ownRounds, bareRounds, ({ cpuMs }) => cpuMs),
      unit: "times",
      limit: { atMost: 1.5 },
    },
    ...context(ownRounds, bareRounds, "ms a link", ({ cpuMs }) => cpuMs),
    ...context(ownRounds, bareRounds, "links a CPU second", perCpuSecond),
    ...context(ownRounds, bareRounds, "links/s", ({ perSecond }) => perSecond),
    { name: "  written to the log of PostgreSQL", value: walBytes / synced / 1_000, unit: "kB a link" },
    ...(await measureMemory(effort, janus, own, standins)),
  ];
}

/** Whether memory grows with the number of links that are synced in turn. */
async function measureMemory(
  effort: Effort,
  janus: Syncing,
  environment: Environment,
  standins: Standins,
): Promise<Figure[]> {
  const { program, sql } = janus;
  await sql.unsafe("truncate discord_account, organisation_account cascade");
  await leaveLinks(sql, environment, standins, effort.linksInTurn);
  const [{ size } = { size: 0 }] = await sql.unsafe<{ size: number }[]>(
    "select pg_database_size(current_database())::float8 as size",
  );
  await makeDue(sql, effort.linksInTurn / 10);
  await untilSynced(sql);
  const early = program.memory().rss;
  await makeDue(sql, effort.linksInTurn);
  await untilSynced(sql);
  const { rss, peak } = program.memory();
  return [
    {
      name: `memory after ${effort.linksInTurn} links, of that after a tenth`,
      value: rss / early,
      unit: "times",
      limit: { atMost: 1.25 },
    },
    { name: "  after a tenth", value: early, unit: "MB" },
    { name: "  after all", value: rss, unit: "MB" },
    { name: "  at most", value: peak, unit: "MB" },
    {
      name: "  database, before they were synced",
      value: size / effort.linksInTurn / 1_000,
      unit: "kB a link",
    },
  ];
}

/** Links of which none is due. */
async function leaveLinks(
  sql: postgres.Sql,
  environment: Environment,
  { discord, provider }: Standins,
  count: number,
): Promise<void> {
  const query: Query = async (text, parameters = []) => sql.unsafe(text, [...parameters] as string[]);
  await leaveDueLinks({ query, discord, provider, environment }, count, (_, preferred_username) => {
    const claims = { preferred_username, groups: PEOPLE };
    return { before: claims, now: claims };
  });
  await sql.unsafe("update link set check_due_at = now() + interval '1 day'");
  await sql.unsafe("vacuum analyze");
}

/** Makes so many due, in the order of their accounts' rows. */
const makeDue = (sql: postgres.Sql, count: number) =>
  sql.unsafe(
    "update link set check_due_at = now() - interval '1 hour' where discord_user_id in (select discord_user_id from link limit $1)",
    [count],
  );

/** What is due, or under a lease, is due within the hour; what was checked is due tomorrow. */
async function untilSynced(sql: postgres.Sql): Promise<void> {
  for (;;) {
    const rows = await sql.unsafe("select from link where check_due_at < now() + interval '1 hour' limit 1");
    if (rows.length === 0) return;
    await Bun.sleep(LOOK_EVERY_MS);
  }
}

/** One round, from the first link that is synced. Janus begins by itself, the reference when it is asked. */
async function syncRound({ program, sql }: Syncing, count: number, path?: string): Promise<Round> {
  await makeDue(sql, count);
  await sql.unsafe("vacuum link, organisation_token, organisation_account");
  const cpuBefore = program.cpuMs();
  const asked = path === undefined ? undefined : fetch(`http://127.0.0.1:${program.port}${path}`);
  while (!(await hasBegun(sql))) await Bun.sleep(LOOK_EVERY_MS);
  const began = performance.now();
  await asked;
  await untilSynced(sql);
  const elapsed = performance.now() - began;
  const cpu = program.cpuMs() - cpuBefore;
  return { cpuMs: cpu / count, perSecond: (count * 1_000) / elapsed, busy: cpu / elapsed };
}

/** Whether a link is under a lease, or none is due any more. */
async function hasBegun(sql: postgres.Sql): Promise<boolean> {
  const rows = await sql.unsafe(
    "select bool_or(check_leased_until is not null) or bool_and(check_due_at > now() + interval '1 hour') as begun from link",
  );
  return rows[0]?.begun === true;
}

async function readWal(sql: postgres.Sql): Promise<number> {
  const [row] = await sql.unsafe<{ bytes: number }[]>(
    "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as bytes",
  );
  return row?.bytes ?? 0;
}
