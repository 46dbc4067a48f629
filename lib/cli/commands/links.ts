/**
 * `janus links`. Here is `list`, a page of the links that are asked for. `links_show.ts`, `links_change.ts` and
 * `links_export.ts` have the others.
 */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readUserId } from "../given_facts.ts";
import { describeLinks, linksAsJson } from "../link_list_view.ts";
import { INTERRUPTED, listPatiently } from "../list_patiently.ts";
import { readLimit } from "../option_values.ts";
import { endAsInterrupted, print, warn } from "../output.ts";
import { withStoredDatabase } from "../with_database.ts";
import { addLinksSync, addLinksUnlink } from "./links_change.ts";
import { addLinksExport } from "./links_export.ts";
import type { SelectionOptions } from "./links_selection.ts";
import { addSelection, selectionOf } from "./links_selection.ts";
import { addLinksShow } from "./links_show.ts";

const DEFAULT_LIMIT = 50;

type Options = SelectionOptions & { readonly limit?: number; readonly after?: string };

/** Adds the command. */
export function addLinks(program: Command): void {
  const links = program
    .command("links")
    .helpCommand(false)
    .description("list, show, export, sync and undo links")
    .addHelpText("after", examples("janus links list --failing", "janus links show anna"));
  addList(links);
  addLinksShow(links);
  addLinksSync(links);
  addLinksUnlink(links);
  addLinksExport(links);
}

function addList(links: Command): void {
  addSelection(links.command("list"))
    .option("--limit <number>", `how many at most; ${DEFAULT_LIMIT} unless given`, readLimit)
    .option(
      "--after <id>",
      "only those after this Discord user id, as the end of a list names it",
      readUserId,
    )
    .description("list links by what they are, in the order of their Discord user ids")
    .addHelpText(
      "after",
      examples(
        "janus links list --state waiting",
        "janus links list --record member=1 --older-than 30d",
        "janus links list --error token_unreadable --limit 500 --json",
      ),
    )
    .action(async ({ limit = DEFAULT_LIMIT, after, ...options }: Options, command: Command) => {
      const { json } = readCommon(command);
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      const list = await withStoredDatabase(config, json, (db) =>
        listPatiently(db, selectionOf(options), { limit, after }, json),
      );
      if (list === undefined) {
        endAsInterrupted();
        return warn(INTERRUPTED, json);
      }
      await print(json ? toJson(linksAsJson(list)) : describeLinks(list, now(), "the same command, and"));
    });
}
