/** `janus bans remove`: lifts a ban, after it has asked. Nobody is linked by that: the member follows the link again. */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import { createQueries } from "../../database/queries.ts";
import { removeBan } from "../../operator/bans.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { requireAgreement } from "../agreement.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readOperatorName } from "../operator_name.ts";
import { endWithFindings, print } from "../output.ts";
import { confirm } from "../terminal.ts";
import { withStoredDatabase } from "../with_database.ts";
import type { AccountOptions } from "./bans_account.ts";
import {
  addAccountOptions,
  checkAccountOptions,
  describeAccounts,
  readAccount,
  viewAccounts,
} from "./bans_account.ts";

type Options = AccountOptions & { readonly yes?: boolean };

/** Adds the command. Its exit code is 1 if there was no such ban, or if nobody agreed. */
export function addBansRemove(bans: Command): void {
  addAccountOptions(bans.command("remove"))
    .option("--yes", "do not ask")
    .description("lift the ban of an account; exit code 1 if it is not banned")
    .addHelpText(
      "after",
      examples(
        "janus bans remove --discord 80351110224678912",
        "janus bans remove --subject 7f3c --yes --json",
      ),
    )
    .action(async ({ yes = false, ...options }: Options, command: Command) => {
      const { json } = readCommon(command);
      checkAccountOptions(options, ["discord", "subject"], "janus bans remove");
      requireAgreement("janus bans remove", yes, json);
      const environment = await readEnvironmentFor(command);
      const accounts = readAccount(options, environment);
      const operator = readOperatorName(environment);
      const shown = describeAccounts(accounts);
      if (!yes && !(await confirm(`${shown} may link again. Lift the ban?`))) {
        endWithFindings();
        return print("Nothing was changed.");
      }
      const isLifted = await withStoredDatabase(readDatabaseConfig(environment), json, (db) =>
        removeBan({ queries: createQueries(db), now }, accounts, operator),
      );
      if (!isLifted) endWithFindings();
      if (json) return print(toJson({ ...viewAccounts(accounts), lifted: isLifted }));
      return print(
        isLifted ? `Lifted: ${shown} may link again.` : `${shown} is not banned. See janus bans list.`,
      );
    });
}
