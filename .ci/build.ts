/**
 * `bun run build`: makes the binary for this machine, or for the target given. Says what it does on standard error;
 * ends with 1 when it fails, with 2 when it is not understood.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buildBinary, ROOT, TARGETS } from "./binary.ts";
import { provideRuntime } from "./runtimes.ts";
import { makeTemplate } from "./template.ts";

const HELP = `Usage: bun run build [options]

Makes one binary, which needs nothing beside it: no Bun, no node_modules, no file.

      --target <target>  what it is for; without it, this machine:
                         ${Object.keys(TARGETS).join(", ")}.
                         Its runtime comes from the npm registry, pinned by .ci/runtimes.ts
      --outfile <path>   where it goes; dist/janus without it
  -h, --help             print this`;

const OPTIONS = {
  target: { type: "string" },
  outfile: { type: "string", default: join(ROOT, "dist", "janus") },
  help: { type: "boolean", short: "h" },
} as const;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = parse();
  if (typeof options === "string") return fail(`${options}\nSee bun run build --help.`, 2);
  if (options.help === true) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  try {
    await build(options.outfile, options.target);
    return 0;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), 1);
  }
}

function parse() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    const { target } = values;
    if (target !== undefined && !Object.hasOwn(TARGETS, target)) return `No such target: ${target}`;
    return values;
  } catch (error) {
    return error instanceof Error ? error.message : "The options cannot be read";
  }
}

async function build(outfile: string, target: string | undefined): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "janus-build-"));
  try {
    say("a database to begin with");
    const template = await makeTemplate(folder);
    say(`the binary for ${target ?? "this machine"}`);
    const runtime = target === undefined ? undefined : await provideRuntime(target, { folder });
    await buildBinary({ outfile, runtime, template });
    const { size } = await stat(outfile);
    say(`${relative(process.cwd(), outfile)}, ${(size / 1_000_000).toFixed(0)} MB`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function say(text: string): void {
  process.stderr.write(`build: ${text}\n`);
}

function fail(text: string, exitStatus: number): number {
  say(text);
  return exitStatus;
}
