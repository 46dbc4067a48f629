/**
 * `janus sync`: does now what the servers would do by themselves: reads claims again, and tells Discord what has changed.
 * Or it only says what that would change, or releases losses that are held.
 */
import type { Command } from "commander";
import type { Environment } from "../../config/sources.ts";
import type { WorkDeps } from "../../deps.ts";
import { usage } from "../../errors.ts";
import { syncAsked } from "../../operator/change_link.ts";
import { findMember } from "../../operator/find_member.ts";
import { countWaitingLosses, releaseLosses } from "../../operator/release_losses.ts";
import type { SyncCounts, SyncResult, SyncScope } from "../../operator/sync_run.ts";
import { countScope, runDry } from "../../operator/sync_run.ts";
import { describeStop, STOP_REMEDIES } from "../../sync/stops.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readOperatorName } from "../operator_name.ts";
import { endAsInterrupted, endWithFindings, print, warn } from "../output.ts";
import { createProgress } from "../progress.ts";
import { requireOne } from "../require_one.ts";
import { canAsk, confirm, untilToldToStop } from "../terminal.ts";
import { withWork } from "../with_work.ts";

type Options = {
  readonly member?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly release?: boolean;
  readonly yes?: boolean;
};

/** Adds the command. Its exit code is 1 if links failed, if losses are held, or if a server may not be asked. */
export function addSync(program: Command): void {
  program
    .command("sync")
    .description("read claims again and tell Discord what has changed, now; exit code 1 if something is left")
    .option("--member <member>", "of one member: a Discord user id, a subject or a username")
    .option("--all", "of every link, due or not")
    .option("--dry-run", "say what would change; spends no token, and changes nothing anywhere")
    .option("--release", "release the losses that are held, after it has said how many")
    .option("--yes", "with --release: do not ask")
    .addHelpText(
      "after",
      examples(
        "janus sync",
        "janus sync --member anna",
        "janus sync --all --dry-run",
        "janus sync --release",
      ),
    )
    .action(async (options: Options, command: Command) => {
      check(options);
      const environment = await readEnvironmentFor(command);
      const { json } = readCommon(command);
      await (options.release === true ? release : sync)({ ...options, environment, json });
    });
}

type Asked = Options & { readonly environment: Environment; readonly json: boolean };

/** Throws usage for options that do not go together. */
function check({ member, all, dryRun, release, yes }: Options): void {
  if (member !== undefined && all === true)
    throw usage("Name one of --member <member> and --all.\nSee janus sync --help.");
  if (release === true && (member !== undefined || all === true || dryRun === true))
    throw usage("--release goes with --yes alone: it releases all losses.\nSee janus sync --help.");
  if (yes === true && release !== true) throw usage("--yes is only for --release.\nSee janus sync --help.");
}

/** Syncs, and prints what that came to. */
export async function sync({ environment, json, ...options }: Asked): Promise<void> {
  const { result, signal, stops } = await withWork(environment, json, async (deps) => {
    const scope = await findScope(deps, options);
    const links = await countScope(deps, scope);
    const progress = createProgress(links, "links", json);
    if (links > 0) await progress.tell(0);
    const operator = readOperatorName(environment);
    const run = (waiting: Parameters<typeof runDry>[2]) =>
      options.dryRun === true ? runDry(deps, scope, waiting) : syncAsked(deps, { scope, operator }, waiting);
    const onStop = (): void => void progress.end().then(() => warn(STOPPING, json));
    try {
      const ended = await untilToldToStop((stop) => run({ stop, onProgress: progress.tell }), onStop);
      return { ...ended, stops: deps.upstreamBudgets.listStops() };
    } finally {
      await progress.end();
    }
  });
  const { counts } = result;
  const isDry = options.dryRun === true;
  for (const stop of stops) await warn(`${describeStop(stop)} ${STOP_REMEDIES[stop.code]}`, json);
  if (signal !== undefined) {
    endAsInterrupted(signal);
    await warn(STOPPED, json);
  } else if (counts.failed > 0 || (counts.held > 0 && !isDry) || stops.length > 0) endWithFindings();
  await print(json ? toJson(counts) : describe(result, isDry));
}

const STOPPING = "stopping as soon as the links that were begun are done; Ctrl+C again ends at once";
const STOPPED =
  "stopped before the last link: what was done stays done, and the servers read the links that are due";

async function findScope(
  deps: WorkDeps,
  { member, all }: Pick<Options, "member" | "all">,
): Promise<SyncScope> {
  if (member === undefined) return { kind: all === true ? "all" : "due" };
  const { discordUserId } = requireOne(member, await findMember(deps, member));
  return { kind: "member", discordUserId };
}

const WORDS: Readonly<Record<keyof SyncCounts, string>> = {
  checked: "checked",
  changed: "of them changed",
  pushed: "told Discord",
  unknown: "could not be read again, and keep what is known",
  held: "would lose something, and are held: see janus sync --release",
  ended: "ended by the provider",
  failed: "failed",
};

/** A dry run does not know what the brake would hold. */
const DRY_WORDS: typeof WORDS = { ...WORDS, held: "would lose something" };

function describe({ counts, codes }: SyncResult, isDry: boolean): string {
  const lines = Object.entries(isDry ? DRY_WORDS : WORDS).map(([key, word]) => {
    const count = Object.entries(counts).find(([name]) => name === key)?.[1] ?? 0;
    const why = key === "failed" && codes.length > 0 ? ` (${codes.join(", ")})` : "";
    return `${String(count).padStart(8)}  ${word}${why}`;
  });
  return [...lines, ...(isDry ? ["", "Nothing was changed: this was a dry run."] : [])].join("\n");
}

/** Names how many losses wait, asks, and releases them. Servers tell Discord of them within a minute. */
async function release({ environment, json, yes }: Asked): Promise<void> {
  const released = await withWork(environment, json, async (deps) => {
    const { waiting, countedAt } = await countWaitingLosses(deps);
    if (waiting === 0) return 0;
    if (!json)
      await print(waiting === 1 ? "1 link would lose something." : `${waiting} links would lose something.`);
    const isAgreed = yes === true || (!json && canAsk() && (await confirm("Release?")));
    if (!isAgreed) return undefined;
    return releaseLosses(deps, readOperatorName(environment), countedAt);
  });
  if (released === undefined) {
    endWithFindings();
    return print(
      json ? toJson({ released: 0 }) : "Nothing was released. To release: janus sync --release --yes",
    );
  }
  if (json) return print(toJson({ released }));
  await print(
    released === 0 ? "No loss waits." : "Released. Discord is told within a minute, or by janus sync.",
  );
}
