/**
 * `bun run bench [--quick] [--json] [--only PART]`: what Janus costs, as ratios to bare programs measured in the same run.
 * Exit code 1 if a limit is missed. A part alone takes seconds, and finds programs that are less warm than the whole run
 * has them: compare it with itself.
 *
 * The measured programs run on one core (but for their start, which may use both); the members, the stand-ins and the
 * load on another, in this process. PostgreSQL runs wherever the kernel puts it, for Janus and the reference alike.
 * BENCH_DATABASE_URL names a server on which databases may be made; they are dropped at the end.
 */
import { parseArgs } from "node:util";
import { measureClaims } from "./claims.ts";
import { measureDatabaseTime } from "./database_time.ts";
import { createDatabase, dropDatabase } from "./databases.ts";
import type { Effort } from "./measure.ts";
import { countExchanges, measureFlows, measureRedirect, measureStart, measureUserinfo } from "./measure.ts";
import type { Environment, Program } from "./programs.ts";
import { pinDriver, runToEnd, startProgram } from "./programs.ts";
import type { Figure } from "./report.ts";
import { formatJson, formatTable, keepsLimit } from "./report.ts";
import { startStatementCounter } from "./statements.ts";
import { measureSync } from "./sync.ts";
import type { Standins } from "./walk.ts";
import { environmentFor, startStandins } from "./walk.ts";

const FULL: Effort = {
  flowRounds: 6,
  flowsPerRound: 800,
  warmUpFlows: 1_500,
  userinfosPerRound: 2_000,
  redirectRounds: 12,
  redirectMs: 600,
  countedFlows: 20,
  starts: 11,
  syncRounds: 6,
  linksPerRound: 3_000,
  linksInTurn: 100_000,
  claimSizes: [10_000, 100_000, 1_000_000],
  claimRounds: 100,
};
const QUICK: Effort = {
  flowRounds: 1,
  flowsPerRound: 100,
  warmUpFlows: 50,
  userinfosPerRound: 100,
  redirectRounds: 1,
  redirectMs: 200,
  countedFlows: 3,
  starts: 1,
  syncRounds: 1,
  linksPerRound: 60,
  linksInTurn: 200,
  claimSizes: [1_000, 3_000],
  claimRounds: 5,
};

/** The environment of a program with a database that is migrated. */
type Migrated = Environment & { readonly DATABASE_URL: string };

/** What the parts work with. The programs start when the first part needs them. */
type Bench = {
  readonly effort: Effort;
  readonly environment: Migrated;
  /** Makes one more database. */
  readonly migrate: () => Promise<Migrated>;
  readonly standins: Standins;
  readonly ending: <Thing>(thing: Thing, end: (thing: Thing) => unknown) => Thing;
  readonly janus: () => Promise<Program>;
  readonly reference: () => Promise<Program>;
  readonly redirect: () => Promise<Program>;
};

/** In the order in which they are measured. */
const PARTS: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  exchanges: async ({ effort, environment, standins, ending }) => {
    const counter = ending(await startStatementCounter(environment.DATABASE_URL), ({ stop }) => stop());
    return countExchanges(effort, environment, counter, standins);
  },
  database: ({ effort, environment }) => measureDatabaseTime(effort, environment),
  starts: ({ effort, environment }) => measureStart(effort, environment),
  redirects: async ({ effort, janus, redirect }) => measureRedirect(effort, await janus(), await redirect()),
  flows: async ({ effort, janus, reference }) => measureFlows(effort, await janus(), await reference()),
  userinfo: async ({ effort, janus, reference, standins }) =>
    measureUserinfo(effort, await janus(), await reference(), standins),
  claims: ({ effort }) => measureClaims(effort),
  sync: async ({ effort, migrate, standins }) =>
    measureSync(effort, await migrate(), await migrate(), standins),
};
/** In the order in which people read them. */
const SHOWN = ["flows", "redirects", "userinfo", "exchanges", "database", "starts", "claims", "sync"];

const { values: options } = parseArgs({
  options: { quick: { type: "boolean" }, json: { type: "boolean" }, only: { type: "string" } },
});
const { only } = options;
if (only !== undefined && !Object.hasOwn(PARTS, only)) {
  console.error(`bench: --only takes ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
const figures = await measureAll(options.quick === true ? QUICK : FULL);
console.log(options.json === true ? formatJson(figures) : formatTable(figures));
process.exit(figures.every(keepsLimit) ? 0 : 1);

async function measureAll(effort: Effort): Promise<Figure[]> {
  pinDriver();
  const endings: (() => unknown)[] = [];
  const ending = <Thing>(thing: Thing, end: (thing: Thing) => unknown): Thing => {
    endings.unshift(() => end(thing));
    return thing;
  };
  const endAll = async () => {
    for (const end of endings.splice(0)) await end();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => endAll().then(() => process.exit(1)));
  try {
    say("databases and stand-ins");
    return await measureParts(await prepare(effort, ending));
  } finally {
    await endAll();
  }
}

async function prepare(effort: Effort, ending: Bench["ending"]): Promise<Bench> {
  const standins = ending(startStandins(), ({ stop }) => stop());
  const common = environmentFor(standins);
  const migrate = async (): Promise<Migrated> => {
    const environment = { ...common, DATABASE_URL: ending(await createDatabase(), dropDatabase) };
    await runToEnd("sql/migrate.ts", environment);
    return environment;
  };
  const [environment, bareEnvironment] = [await migrate(), await migrate()];
  const startOnce = (file: string, env: Environment = environment) => {
    let program: Promise<Program> | undefined;
    return async () => {
      program ??= startProgram(file, env).then((started) => ending(started, ({ stop }) => stop()));
      return program;
    };
  };
  return {
    effort,
    environment,
    migrate,
    standins,
    ending,
    janus: startOnce("index.ts"),
    reference: startOnce("tests/bench/reference.ts", bareEnvironment),
    redirect: startOnce("tests/bench/redirect.ts"),
  };
}

async function measureParts(bench: Bench): Promise<Figure[]> {
  const figures = new Map<string, Figure[]>();
  for (const [name, measurePart] of Object.entries(PARTS)) {
    if (only !== undefined && only !== name) continue;
    say(name);
    figures.set(name, await measurePart(bench));
  }
  return SHOWN.flatMap((name) => figures.get(name) ?? []);
}

function say(stage: string): void {
  process.stderr.write(`bench: ${stage}\n`);
}
