/**
 * `bun run bench [--quick] [--json]`: what Janus costs, as ratios to bare programs measured in the same run. Exit
 * code 1 if a limit is missed.
 *
 * The measured programs run on one core (but for their start, which may use both); the members, the stand-ins and the
 * load on another, in this process. PostgreSQL runs wherever the kernel puts it, for Janus and the reference alike.
 * BENCH_DATABASE_URL names a server on which databases may be made; they are dropped at the end.
 */
import { parseArgs } from "node:util";
import { measureDatabaseTime } from "./database_time.ts";
import { createDatabase, dropDatabase } from "./databases.ts";
import type { Effort } from "./measure.ts";
import { countExchanges, measureFlows, measureRedirect, measureStart, measureUserinfo } from "./measure.ts";
import { pinDriver, runToEnd, startProgram } from "./programs.ts";
import type { Figure } from "./report.ts";
import { formatJson, formatTable, keepsLimit } from "./report.ts";
import { startStatementCounter } from "./statements.ts";
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
};

const { values: options } = parseArgs({ options: { quick: { type: "boolean" }, json: { type: "boolean" } } });
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
    const standins = ending(startStandins(), ({ stop }) => stop());
    const [own, bare] = [
      ending(await createDatabase(), dropDatabase),
      ending(await createDatabase(), dropDatabase),
    ];
    const environment = environmentFor(standins, own);
    const bareEnvironment = { ...environment, DATABASE_URL: bare };
    await runToEnd("sql/migrate.ts", environment);
    await runToEnd("sql/migrate.ts", bareEnvironment);

    say("statements and upstream calls");
    const counter = ending(await startStatementCounter(own), ({ stop }) => stop());
    const exchanges = await countExchanges(effort, environment, counter, standins);

    say("the database's own account");
    const databaseTime = await measureDatabaseTime(effort, environment);

    say("first answers");
    const starts = await measureStart(effort, environment);

    const start = async (file: string, env = environment) =>
      ending(await startProgram(file, env), ({ stop }) => stop());
    const janus = await start("index.ts");
    say("redirects");
    const redirects = await measureRedirect(effort, janus, await start("tests/bench/redirect.ts"));
    say("flows");
    const reference = await start("tests/bench/reference.ts", bareEnvironment);
    const flows = await measureFlows(effort, janus, reference);
    say("userinfo");
    const userinfo = await measureUserinfo(effort, janus, reference, standins);
    return [...flows, ...redirects, ...userinfo, ...exchanges, ...databaseTime, ...starts];
  } finally {
    await endAll();
  }
}

function say(stage: string): void {
  process.stderr.write(`bench: ${stage}\n`);
}
