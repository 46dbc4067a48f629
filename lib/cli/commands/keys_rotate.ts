/** `janus keys rotate`: seals every stored token again with the first key of TOKEN_KEYS, after it has asked. */
import type { Command } from "commander";
import type { KeysConfig } from "../../config/load.ts";
import { readKeysConfig } from "../../config/load.ts";
import type { Database } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { countToReseal, findKeyUse } from "../../operator/key_use.ts";
import type { Rotation } from "../../operator/rotate_keys.ts";
import { firstIdOf, rotateKeys } from "../../operator/rotate_keys.ts";
import { createWorld } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { requireAgreement } from "../agreement.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readOperatorName } from "../operator_name.ts";
import { endAsInterrupted, endWithFindings, print, warn } from "../output.ts";
import { createProgress } from "../progress.ts";
import { confirm, untilToldToStop } from "../terminal.ts";
import { withStoredDatabase } from "../with_database.ts";

/** Adds the command. Its exit code is 1 if a row is left that the first key does not open, or if nobody agreed. */
export function addKeysRotate(keys: Command): void {
  keys
    .command("rotate")
    .option("--yes", "do not ask")
    .description("seal every stored token again with the first of TOKEN_KEYS, while servers go on")
    .addHelpText("after", examples("janus keys rotate", "janus keys rotate --yes --json"))
    .action(async ({ yes = false }: { readonly yes?: boolean }, command: Command) => {
      const { json } = readCommon(command);
      requireAgreement("janus keys rotate", yes, json);
      const environment = await readEnvironmentFor(command);
      const asked = { json, operator: readOperatorName(environment), isAgreed: yes };
      const config = readKeysConfig(environment);
      const ended = await withStoredDatabase(config, json, (db) => rotate(db, config, asked));
      await tell(ended, firstIdOf(config.tokenKeys), json);
    });
}

/** What was asked for. `isAgreed` outlasts a database that went away in between. */
type Asked = { readonly json: boolean; readonly operator: string; isAgreed: boolean };

type Ended = Awaited<ReturnType<typeof untilToldToStop<Rotation>>> & {
  /** Whether tokens have the id of the first key and do not open with it. A rotation passes over them. */
  readonly isOther: boolean;
};

/** Undefined if nobody agreed. */
async function rotate(db: Database, { tokenKeys }: KeysConfig, asked: Asked): Promise<Ended | undefined> {
  const world = createWorld(NO_LOG, { ref: true });
  const queries = createQueries(db);
  const keyId = firstIdOf(tokenKeys);
  const uses = await findKeyUse({ queries }, tokenKeys);
  const isOther = uses.some((use) => use.keyId === keyId && use.state === "differs");
  const total = countToReseal(uses, keyId);
  if (total === 0) return { result: NOTHING, signal: undefined, isOther };
  if (!asked.isAgreed && !(await confirm(question(total, keyId)))) return undefined;
  asked.isAgreed = true;
  await queries.insertOperatorEvent({
    action: "keys_rotated",
    discordUserId: null,
    operator: asked.operator,
    detail: { key: keyId, rows: total },
    now: world.now(),
  });
  const progress = createProgress(total, "rows", asked.json);
  try {
    await progress.tell(0);
    const ended = await untilToldToStop(
      (stop) => rotateKeys({ ...world, queries, tokenKeys }, { stop, onProgress: progress.tell }),
      () => void progress.end().then(() => warn(STOPPING, asked.json)),
    );
    return { ...ended, isOther };
  } finally {
    await progress.end();
  }
}

const NOTHING: Rotation = { resealed: 0, left: 0, unreadable: 0, unreadableRows: [] };
const STOPPING = "stopping as soon as the rows that were begun are done; Ctrl+C again ends at once";
const STOPPED =
  "stopped before the last row: what was done stays done, and janus keys rotate goes on from there";

const question = (total: number, keyId: string): string =>
  `${counted(total)} to be sealed again with ${keyId}, the first key of TOKEN_KEYS. Every server needs that key, first or ` +
  "not, before you go on. Go on?";

const counted = (rows: number): string => (rows === 1 ? "1 row is" : `${rows} rows are`);

async function tell(ended: Ended | undefined, keyId: string, json: boolean): Promise<void> {
  if (ended === undefined) {
    endWithFindings();
    return print("Nothing was changed.");
  }
  const { result, signal, isOther } = ended;
  const { resealed, left, unreadable, unreadableRows } = result;
  if (signal !== undefined) {
    endAsInterrupted(signal);
    await warn(STOPPED, json);
  } else if (left > 0 || unreadable > 0 || isOther) endWithFindings();
  await print(
    json
      ? toJson({ key: keyId, resealed, left, unreadable, unreadable_rows: unreadableRows })
      : describe(result, keyId, { isStopped: signal !== undefined, isOther }),
  );
}

/** Whatever ids a provider gives. */
const MOST_ECHOED = 600;

function describe(
  { resealed, left, unreadable, unreadableRows }: Rotation,
  keyId: string,
  { isStopped, isOther }: { readonly isStopped: boolean; readonly isOther: boolean },
): string {
  const listed = unreadableRows.map((row) => `  ${printable(row, MOST_ECHOED)}`);
  const more = unreadable - unreadableRows.length;
  const lines = [
    `${counted(resealed).replace(/ (is|are)$/, "")} sealed again with ${keyId}.`,
    ...(left > 0 ? [`${counted(left)} in use by servers: run janus keys rotate again in some minutes.`] : []),
    ...(unreadable > 0
      ? [
          `${unreadable === 1 ? "1 row has" : `${unreadable} rows have`} a token that no key of TOKEN_KEYS opens, and that ` +
            "stays as it is. Add the missing key to the end of TOKEN_KEYS, or see docs/recovery.md:",
          ...listed,
          ...(more > 0 ? [`  and ${more} more`] : []),
        ]
      : []),
  ];
  if (isOther)
    lines.push(
      `Some tokens name ${keyId}, and ${keyId} of TOKEN_KEYS does not open them. See janus keys status.`,
    );
  const isWhole = !isStopped && !isOther && left === 0 && unreadable === 0;
  return [...lines, ...(isWhole ? [`Every token is sealed with ${keyId}. See janus keys status.`] : [])].join(
    "\n",
  );
}
