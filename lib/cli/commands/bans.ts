/** `janus bans`. Here is `list`, a page of the bans in force. `bans_add.ts` and `bans_remove.ts` have what changes them. */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import { createQueries } from "../../database/queries.ts";
import { usage } from "../../errors.ts";
import type { BanPlace } from "../../operator/bans.ts";
import { findBanPlace, listBans } from "../../operator/bans.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { bansAsJson, describeBans } from "../ban_view.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readLimit } from "../option_values.ts";
import { print } from "../output.ts";
import { withStoredDatabase } from "../with_database.ts";
import type { AccountOptions } from "./bans_account.ts";
import { readIssuer, readSubject, readUserId } from "./bans_account.ts";
import { addBansAdd } from "./bans_add.ts";
import { addBansRemove } from "./bans_remove.ts";

const DEFAULT_LIMIT = 50;
const MOST_ECHOED = 120;

const EXAMPLES = examples(
  'janus bans add --member anna --reason "sells roles"',
  "janus bans add --discord 80351110224678912 --until 30d",
  "janus bans list",
  "janus bans remove --discord 80351110224678912",
);

/** Adds the command. */
export function addBans(program: Command): void {
  const bans = program
    .command("bans")
    .helpCommand(false)
    .description("keep Discord accounts, or accounts at the provider, from linking")
    .addHelpText("after", EXAMPLES);
  addBansAdd(bans);
  addBansRemove(bans);
  addList(bans);
}

type Options = AccountOptions & { readonly limit?: number; readonly after?: BanPlace };

function addList(bans: Command): void {
  bans
    .command("list")
    .option("--discord <id>", "only that of this Discord account", readUserId)
    .option("--subject <subject>", "only those of this subject, at any provider", readSubject)
    .option("--issuer <issuer>", "only those of accounts at this provider", readIssuer)
    .option("--limit <number>", `how many at most; ${DEFAULT_LIMIT} unless given`, readLimit)
    .option("--after <place>", "only those after this one, as the end of a list names it", readPlace)
    .description("list the bans in force, the newest first, with reason, end and who has asked for them")
    .addHelpText(
      "after",
      examples("janus bans list", "janus bans list --subject 7f3c", "janus bans list --limit 500 --json"),
    )
    .action(async ({ limit = DEFAULT_LIMIT, after, ...account }: Options, command: Command) => {
      const { discord: discordUserId, subject, issuer } = account;
      if (discordUserId !== undefined && (subject !== undefined || issuer !== undefined))
        throw usage(
          "A ban is of one account: name --discord, or --subject and --issuer.\nSee janus bans list --help.",
        );
      const { json } = readCommon(command);
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      const list = await withStoredDatabase(config, json, (db) =>
        listBans({ queries: createQueries(db), now }, { discordUserId, subject, issuer }, { limit, after }),
      );
      const isFiltered = after !== undefined || Object.keys(account).length > 0;
      const none = isFiltered ? "No bans found." : "Nobody is banned.";
      await print(json ? toJson(bansAsJson(list)) : describeBans(list, none));
    });
}

function readPlace(word: string): BanPlace {
  const place = findBanPlace(word);
  if (place !== undefined) return place;
  throw usage(
    `Not a place in the list: ${printable(word, MOST_ECHOED)}.\nThe end of a list names the next one.`,
  );
}
