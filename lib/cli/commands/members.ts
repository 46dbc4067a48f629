/** `janus members find`: linked members by a part of an id or a name, at Discord or at the organisation. */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import { usage } from "../../errors.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readUserId } from "../given_facts.ts";
import { describeLinks, linksAsJson } from "../link_list_view.ts";
import { INTERRUPTED, listPatiently } from "../list_patiently.ts";
import { readLimit } from "../option_values.ts";
import { endAsInterrupted, endWithFindings, print, warn } from "../output.ts";
import { withStoredDatabase } from "../with_database.ts";

const DEFAULT_LIMIT = 20;
const MOST_OF_TEXT = 200;

/** Adds the command. Its exit code is 1 if nobody is found. */
export function addMembers(program: Command): void {
  const members = program
    .command("members")
    .helpCommand(false)
    .description("find linked members by a part of a name")
    .addHelpText("after", examples("janus members find anna"));
  members
    .command("find")
    .argument("<text>", "a part of a Discord user id, a subject or a name, in upper or lower case")
    .option("--limit <number>", `how many at most; ${DEFAULT_LIMIT} unless given`, readLimit)
    .option(
      "--after <id>",
      "only those after this Discord user id, as the end of a list names it",
      readUserId,
    )
    .description("find linked members by a part of an id or a name; exit code 1 if nobody is found")
    .addHelpText("after", examples("janus members find anna", 'janus members find "50% off" --json'))
    .action(async (text: string, { limit = DEFAULT_LIMIT, after }: Options, command: Command) => {
      const words = text.trim();
      if (words === "" || words.length > MOST_OF_TEXT)
        throw usage(`Give a text of 1 to ${MOST_OF_TEXT} characters to look for.`);
      const { json } = readCommon(command);
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      const list = await withStoredDatabase(config, json, (db) =>
        listPatiently(db, { words }, { limit, after }, json),
      );
      if (list === undefined) {
        endAsInterrupted();
        return warn(INTERRUPTED, json);
      }
      if (list.links.length === 0) endWithFindings();
      await print(json ? toJson(linksAsJson(list)) : describeLinks(list, now(), "the same command, and"));
    });
}

type Options = { readonly limit?: number; readonly after?: string };
