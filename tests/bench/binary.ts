/**
 * `bun run measure [--binary <path>] [--quick] [--json]`: what the binary takes: its size, the time to its first
 * answer, and the memory of a server that nobody asks anything, on the embedded database and on PostgreSQL.
 *
 * It is started in an empty folder, as a new process whose file the system has read before; the server may use both
 * cores. BENCH_DATABASE_URL names a server on which a database may be made; it is dropped at the end.
 */
import { copyFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDatabase, dropDatabase } from "./databases.ts";
import type { Environment, Memory } from "./programs.ts";
import { EVERY_CORE, pinDriver, runToEnd, startProgram, timeStart } from "./programs.ts";
import type { Figure } from "./report.ts";
import { formatJson, formatTable, median } from "./report.ts";
import { environmentFor, startStandins } from "./walk.ts";

const { values: options } = parseArgs({
  options: {
    binary: { type: "string", default: join(import.meta.dir, "../../dist/janus") },
    quick: { type: "boolean" },
    json: { type: "boolean" },
  },
});
const [STARTS, IDLE_MS] = options.quick === true ? [1, 500] : [7, 10_000];

const folder = await mkdtemp(join(tmpdir(), "janus-measure-"));
try {
  const binary = join(folder, "janus");
  await copyFile(options.binary, binary).catch(() => {
    throw new Error(`There is no binary at ${options.binary}: run "bun run build" first.`);
  });
  const figures = await measureAll(binary);
  console.log(options.json === true ? formatJson(figures) : formatTable(figures));
} catch (error) {
  process.stderr.write(`measure: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
// A connection that is kept alive has nothing to wait for.
process.exit();

async function measureAll(binary: string): Promise<Figure[]> {
  pinDriver();
  const standins = startStandins();
  const url = await createDatabase();
  try {
    const embedded = environmentFor(standins);
    const onPostgres = { ...embedded, DATABASE_URL: url };
    await runToEnd([binary, "migrate"], onPostgres);
    const newFolder = async () => ({ ...embedded, DATA_DIR: await mkdtemp(join(folder, "data-")) });
    const used = await newFolder();
    await runToEnd([binary, "migrate"], used);
    const { size } = await stat(binary);
    return [
      { name: "size", value: size / 1e6, unit: "MB" },
      ...(await measure("embedded, first start", binary, newFolder)),
      ...(await measure("embedded, later start", binary, async () => used)),
      ...(await measure("PostgreSQL", binary, async () => onPostgres)),
    ];
  } finally {
    await Promise.all([standins.stop(), dropDatabase(url)]);
  }
}

async function measure(
  name: string,
  binary: string,
  environment: () => Promise<Environment>,
): Promise<Figure[]> {
  const time = async (path: string, what: string): Promise<Figure[]> => {
    const times: number[] = [];
    for (let start = 0; start < STARTS; start++) {
      // Stopped in good order: what is to be measured is no recovery.
      times.push(await timeStart([binary], await environment(), EVERY_CORE, { path, signal: "SIGTERM" }));
    }
    return [
      { name: `${name}: ${what}`, value: median(times), unit: "ms" },
      { name: "  fastest", value: Math.min(...times), unit: "ms" },
    ];
  };
  const times = [
    ...(await time("/healthz", "first answer from /healthz")),
    ...(await time("/readyz", "first 200 from /readyz")),
  ];
  const { rss, pss, peak } = await measureMemory(binary, await environment());
  return [
    ...times,
    { name: `${name}: idle, resident`, value: rss, unit: "MB" },
    { name: `${name}: idle, its share (PSS)`, value: pss, unit: "MB" },
    { name: `${name}: at most`, value: peak, unit: "MB" },
  ];
}

async function measureMemory(binary: string, environment: Environment): Promise<Memory> {
  const program = await startProgram([binary], environment);
  try {
    await Bun.sleep(IDLE_MS);
    return program.memory();
  } finally {
    await program.stop();
  }
}
