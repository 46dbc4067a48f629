/** `janus audit-log`: the trail, the newest event first: what happened to whose link, and which operator did it. */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import { createQueries } from "../../database/queries.ts";
import { ACTIONS } from "../../database/statements/audit_event.ts";
import { usage } from "../../errors.ts";
import { listEvents } from "../../operator/audit_log.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { describeEvents, eventsAsJson } from "../event_view.ts";
import { findUserId } from "../find_user_id.ts";
import { readLimit, readMoment } from "../option_values.ts";
import { endAsInterrupted, print, warn } from "../output.ts";
import { untilInterrupted } from "../terminal.ts";
import { withStoredDatabase } from "../with_database.ts";

const DEFAULT_LIMIT = 50;
const MOST_ECHOED = 120;

type Options = {
  readonly member?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly action?: string;
  readonly limit?: number;
  readonly before?: string;
};

/** Adds the command. */
export function addAuditLog(program: Command): void {
  program
    .command("audit-log")
    .option("--member <member>", "of one member: a Discord user id, a subject or a username")
    .option("--since <time>", "from then on: 2026-01-31, 2026-01-31T12:00:00Z, or 36h or 7d ago", readMoment)
    .option("--until <time>", "before then", readMoment)
    .option("--action <name>", "only this, such as unlinked", readAction)
    .option("--limit <number>", `how many at most; ${DEFAULT_LIMIT} unless given`, readLimit)
    .option("--before <id>", "only events before this one, as the end of a list names it", readId)
    .description("list what happened to which link, and which operator did it, the newest first")
    .addHelpText(
      "after",
      examples(
        "janus audit-log --member anna",
        "janus audit-log --action unlinked --since 7d",
        "janus audit-log --since 2026-01-01 --until 2026-02-01 --json",
      ),
    )
    .action(async ({ member, limit = DEFAULT_LIMIT, before, ...filter }: Options, command: Command) => {
      const { since, until } = filter;
      if (since !== undefined && until !== undefined && since >= until)
        throw usage("--since must be before --until.\nSee janus audit-log --help.");
      const { json } = readCommon(command);
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      const list = await withStoredDatabase(config, json, async (db) => {
        const queries = createQueries(db);
        const discordUserId = member === undefined ? undefined : await findUserId({ queries }, member);
        return untilInterrupted((stop) =>
          listEvents({ queries }, { ...filter, discordUserId }, { limit, before, stop }),
        );
      });
      if (list === undefined) {
        endAsInterrupted();
        return warn("stopped before the last event: there is no result", json);
      }
      await print(json ? toJson(eventsAsJson(list)) : describeEvents(list, "the same command, and"));
    });
}

function readAction(word: string): string {
  if (ACTIONS.some((action) => action === word)) return word;
  throw usage(
    `The trail has no action ${printable(word, MOST_ECHOED)}.\nIt has these: ${ACTIONS.join(", ")}.`,
  );
}

function readId(word: string): string {
  if (/^\d{1,15}$/.test(word)) return word;
  throw usage(`Not the id of an event: ${printable(word, MOST_ECHOED)}.\nThe end of a list names it.`);
}
