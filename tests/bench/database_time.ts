/**
 * What PostgreSQL pays for a flow, by its own account: pg_stat_statements counts the time of every statement, with its
 * triggers and foreign keys, and nothing of the network. It has to be loaded when a server starts, so the benchmark
 * starts one of its own. The measure is an insert of one row into a table with two indexes, in the same run.
 * PostgreSQL documentation, F.32 pg_stat_statements
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import * as v from "valibot";
import type { Cluster } from "../harness/cluster.ts";
import { findInitdb, startCluster } from "../harness/cluster.ts";
import type { Effort } from "./measure.ts";
import { CONCURRENCY } from "./measure.ts";
import type { Environment } from "./programs.ts";
import { runToEnd, startProgram } from "./programs.ts";
import type { Figure } from "./report.ts";
import { median } from "./report.ts";
import { walkFlows } from "./walk.ts";

const PASSWORD = "bench";
const SETTINGS = "-c shared_preload_libraries=pg_stat_statements";
const PLAIN = "insert into plain (id, name, token, seen_at) values ($1, $2, $3, $4)";
/** Plain inserts after a round, for each of its flows. */
const PLAINS_A_FLOW = 4;

const timeSchema = v.object({ flowMs: v.number(), plainMs: v.number() });

/** The time of the statements of a flow. Measures nothing where no PostgreSQL is installed. */
export async function measureDatabaseTime(effort: Effort, environment: Environment): Promise<Figure[]> {
  if (findInitdb() === undefined) return [];
  const folder = await mkdtemp(join(tmpdir(), "janus-bench-"));
  try {
    const passwordFile = join(folder, "password");
    await Bun.write(passwordFile, PASSWORD);
    await using cluster = await startCluster(passwordFile, undefined, SETTINGS);
    return describe(await countRounds(effort, environment, cluster));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Times = v.InferOutput<typeof timeSchema>;

async function countRounds(effort: Effort, environment: Environment, cluster: Cluster): Promise<Times[]> {
  const url = `postgres://janus:${PASSWORD}@127.0.0.1:${cluster.port}/postgres`;
  const own = { ...environment, DATABASE_URL: url };
  await runToEnd("sql/migrate.ts", own);
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    onnotice: () => undefined,
    transform: postgres.toCamel,
  });
  const program = await startProgram("index.ts", own);
  try {
    await sql.unsafe("create extension pg_stat_statements");
    await sql.unsafe("create table plain (id text primary key, name text, token text, seen_at timestamptz)");
    await sql.unsafe("create index plain_seen_at_idx on plain (seen_at)");
    // Each connection makes some plans before PostgreSQL keeps one. When tables grow, PostgreSQL plans again.
    await walkBoth(program.port, sql, effort.warmUpFlows);
    const rounds: Times[] = [];
    for (let round = 0; round < effort.flowRounds; round++) {
      await sql.unsafe("select pg_stat_statements_reset()");
      await walkBoth(program.port, sql, effort.flowsPerRound);
      rounds.push(await readTimes(sql, effort.flowsPerRound));
    }
    return rounds;
  } finally {
    await Promise.all([program.stop(), sql.end()]);
  }
}

async function walkBoth(port: number, sql: postgres.Sql, flows: number): Promise<void> {
  await walkFlows(port, flows, CONCURRENCY);
  for (let plain = 0; plain < flows * PLAINS_A_FLOW; plain++) {
    const values = [crypto.randomUUID(), "anna", "x".repeat(100), new Date().toISOString()];
    await sql.unsafe(PLAIN, values, { prepare: true });
  }
}

async function readTimes(sql: postgres.Sql, flows: number): Promise<Times> {
  const [row] = await sql.unsafe(`
    select
      coalesce(sum(total_exec_time) filter (where query not like 'insert into plain%'), 0) / ${flows} as flow_ms,
      sum(total_exec_time) filter (where query like 'insert into plain%') / ${flows * PLAINS_A_FLOW} as plain_ms
    from pg_stat_statements
    where query not like '%pg_stat_statements%'`);
  return v.parse(timeSchema, row);
}

function describe(rounds: readonly Times[]): Figure[] {
  return [
    {
      name: "database time a flow, in plain inserts",
      value: median(rounds.map(({ flowMs, plainMs }) => flowMs / plainMs)),
      unit: "times",
    },
    { name: "  of a flow", value: median(rounds.map(({ flowMs }) => flowMs)), unit: "ms" },
    { name: "  of a plain insert", value: median(rounds.map(({ plainMs }) => plainMs)), unit: "ms" },
  ];
}
