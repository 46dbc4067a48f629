/** `janus keys status`: how many rows each key has sealed, so that the operator knows which key may go. */
import type { Command } from "commander";
import { readKeysConfig } from "../../config/load.ts";
import { createQueries } from "../../database/queries.ts";
import type { KeyState, KeyUse } from "../../operator/key_use.ts";
import { findKeyUse, sumOf } from "../../operator/key_use.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { endWithFindings, print } from "../output.ts";
import { formatTable } from "../table.ts";
import { withStoredDatabase } from "../with_database.ts";

/** Adds the command. Its exit code is 1 if a key is missing that has sealed tokens, or if another has its id. */
export function addKeysStatus(keys: Command): void {
  keys
    .command("status")
    .description("show how many rows each key has sealed, and which keys may go")
    .addHelpText("after", examples("janus keys status", "janus keys status --json"))
    .action(async (_: unknown, command: Command) => {
      const { json } = readCommon(command);
      const config = readKeysConfig(await readEnvironmentFor(command));
      const uses = await withStoredDatabase(config, json, (db) =>
        findKeyUse({ queries: createQueries(db) }, config.tokenKeys),
      );
      if (uses.some(({ state }) => state === "missing" || state === "differs")) endWithFindings();
      await print(json ? toJson({ keys: uses.map(viewOf) }) : describe(uses));
    });
}

const MEANINGS: Readonly<Record<KeyState, string>> = {
  seals: "seals what is stored from now on",
  opens: "needed: see janus keys rotate",
  unused: "may go, once it is first on no server",
  missing: "missing in TOKEN_KEYS: nothing opens these tokens",
  differs: "another key has this id: it does not open all of these tokens",
};

const viewOf = ({ keyId, state, rows }: KeyUse) => ({ key: keyId, state, rows: sumOf(rows), ...rows });

function describe(uses: readonly KeyUse[]): string {
  const head = ["key", "discord_token", "organisation_token", "stray_token", ""];
  const rows = uses.map(({ keyId, state, rows }) => [
    keyId === "" ? "(none)" : printable(keyId),
    String(rows.discord_token),
    String(rows.organisation_token),
    String(rows.stray_token),
    MEANINGS[state],
  ]);
  return formatTable([head, ...rows]);
}
