/**
 * Whether claiming twenty links costs the same however many links there are. It starts a PostgreSQL of its own whose
 * memory holds everything, so that what is compared is the work, and not whether the disk is read. The kernel counts the
 * CPU time of the backend.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { migrateUp } from "../../lib/database/migrations.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { fillWithLinkedMembers } from "../fixtures/linked_members.ts";
import { findInitdb, startCluster } from "../harness/cluster.ts";
import type { Effort } from "./measure.ts";
import type { Figure } from "./report.ts";
import { median } from "./report.ts";

const PASSWORD = "bench";
const SETTINGS =
  "-c shared_buffers=4GB -c autovacuum=off -c max_wal_size=8GB -c jit=off -c full_page_writes=off";
const BATCH = 20;
/** As `fillWithLinkedMembers` has it. */
const ISSUER = "https://provider.example";
/** Each connection makes some plans before PostgreSQL keeps one. */
const WARM_UPS = 8;

const after = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();

/** The claims, and what makes a link due for one. */
const CLAIMS = {
  claimCheckDue: {
    due: "check_due_at = now() - interval '1 hour'",
    values: () => [BATCH, after(390), after(0), false],
  },
  claimPushDue: {
    due: "push_due_at = now() - interval '1 hour'",
    values: () => [BATCH, after(420), after(0)],
  },
  claimLossDue: {
    due: "loss_found_at = now() - interval '1 hour', loss_due_at = now() - interval '1 hour'",
    values: () => [BATCH, after(420), after(0), after(0), after(-3_600), after(0), after(60), ISSUER, false],
  },
} as const;

type Claim = keyof typeof CLAIMS;
type Crowd = { readonly links: number; readonly sql: postgres.Sql; readonly pid: number };

/** Milliseconds of CPU time that the backend of a connection has used. proc(5), /proc/pid/schedstat */
function cpuMs(pid: number): number {
  const [nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
  return Number(nanoseconds) / 1e6;
}

/** What each claim costs among many links, of what it costs among few. Measures nothing where no PostgreSQL is installed. */
export async function measureClaims(effort: Effort): Promise<Figure[]> {
  if (findInitdb() === undefined) return [];
  const folder = await mkdtemp(join(tmpdir(), "janus-bench-"));
  try {
    const passwordFile = join(folder, "password");
    await Bun.write(passwordFile, PASSWORD);
    await using cluster = await startCluster(passwordFile, undefined, SETTINGS);
    await using ends = new AsyncDisposableStack();
    const crowds: Crowd[] = [];
    for (const links of effort.claimSizes) {
      const crowd = await gather(`postgres://janus:${PASSWORD}@127.0.0.1:${cluster.port}`, links, effort);
      ends.defer(() => crowd.sql.end());
      crowds.push(crowd);
    }
    const figures: Figure[] = [];
    for (const claim of Object.keys(CLAIMS) as Claim[])
      figures.push(...(await measureClaim(claim, crowds, effort)));
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A database with so many links, of which as many are due for each claim as will be claimed. */
async function gather(server: string, links: number, effort: Effort): Promise<Crowd> {
  const name = `links_${links}`;
  const admin = postgres(`${server}/postgres`, { max: 1, onnotice: () => undefined });
  await admin.unsafe(`create database ${name}`).finally(() => admin.end());
  const url = `${server}/${name}`;
  const db = await openDatabase({ url, prepare: true, dataDir: "unused" });
  await migrateUp(db, () => new Date()).finally(() => db.close());
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => undefined });
  await fillWithLinkedMembers(sql, links, new Date());
  const each = BATCH * (effort.claimRounds + WARM_UPS);
  const step = Math.floor(links / (each * Object.keys(CLAIMS).length));
  if (step === 0) throw new Error(`${links} links are too few`);
  // Links that are due are anywhere among the others.
  for (const [index, { due }] of Object.values(CLAIMS).entries())
    await sql.unsafe(`update link set ${due} where discord_user_id in (
      select ((n * ${Object.keys(CLAIMS).length} + ${index}) * ${step} + 1)::text from generate_series(0, ${each - 1}) as n)`);
  await sql.unsafe("vacuum analyze");
  await readAll(sql);
  const [{ pid } = { pid: 0 }] = await sql.unsafe<{ pid: number }[]>("select pg_backend_pid() as pid");
  return { links, sql, pid };
}

/** What a claim reads, each with the orders of its indexes. */
const READ = {
  link: ["discord_user_id", "issuer, subject", "check_due_at"],
  discord_account: ["discord_user_id"],
  discord_token: ["discord_user_id"],
  organisation_account: ["issuer, subject"],
  organisation_token: ["issuer, subject"],
};

/**
 * Reads all pages once, in this connection. The first time that a process of PostgreSQL touches a page of the shared
 * memory, the kernel maps it for that process. The connections of a server live long enough to have that behind them.
 */
async function readAll(sql: postgres.Sql): Promise<void> {
  await sql.unsafe("set max_parallel_workers_per_gather = 0");
  for (const table of Object.keys(READ)) await sql.unsafe(`select sum(length(${table}::text)) from ${table}`);
  await sql.unsafe("set enable_seqscan = off");
  await sql.unsafe("set enable_sort = off");
  for (const [table, orders] of Object.entries(READ))
    for (const order of orders)
      await sql.unsafe(
        `select count(*) from (select ${order} from ${table} order by ${order} offset 0) as ordered`,
      );
  await sql.unsafe("reset all");
}

/** Claims twenty in each crowd in turn, again and again. */
async function measureClaim(claim: Claim, crowds: readonly Crowd[], effort: Effort): Promise<Figure[]> {
  const times = crowds.map((): number[] => []);
  for (let round = -WARM_UPS; round < effort.claimRounds; round++)
    for (const [index, { sql, pid }] of crowds.entries()) {
      const before = cpuMs(pid);
      const rows = await sql.unsafe(STATEMENTS[claim].text, [...CLAIMS[claim].values()], { prepare: true });
      if (round >= 0) times[index]?.push(cpuMs(pid) - before);
      if (rows.length !== BATCH) throw new Error(`${claim} claims ${rows.length} links`);
    }
  const [few = [], ...many] = times;
  const [least = crowds[0], ...others] = crowds;
  return [
    ...others.map(({ links }, index) => ({
      name: `${claim}: twenty of ${links} links, of ${least?.links}`,
      value: median((many[index] ?? []).map((time, round) => time / (few[round] ?? time))),
      unit: "times",
      limit: { atMost: 1.3 },
    })),
    { name: "  of the fewest", value: median(few), unit: "ms" },
  ];
}
