/**
 * `janus links export`: every link that is asked for, for another program. It reads and writes a page at a time. A database
 * that goes away in between does no harm: the export goes on after the last page that was written.
 */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import type { Queries } from "../../database/queries.ts";
import { createQueries } from "../../database/queries.ts";
import { internal, JanusError, usage } from "../../errors.ts";
import { openNewFile, requireFreeName } from "../../operator/new_file.ts";
import type { ListedLink } from "../../operator/select_links.ts";
import { readLinks } from "../../operator/select_links.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable, printableLines } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import type { Separator } from "../link_list_view.ts";
import { csvHead, linkAsCsv, linkAsJson } from "../link_list_view.ts";
import { readOperatorName } from "../operator_name.ts";
import { endAsInterrupted, print, printPart, warn } from "../output.ts";
import { createProgress } from "../progress.ts";
import { untilToldToStop, writesToTerminal } from "../terminal.ts";
import { withStoredDatabase } from "../with_database.ts";
import type { SelectionOptions } from "./links_selection.ts";
import { addSelection, namesOf, selectionOf } from "./links_selection.ts";

const MOST_ECHOED = 200;

/** Standard output in place of a file. */
const OUTPUT = "-";

const FORMATS = ["csv", "json", "ndjson"] as const;
type Format = (typeof FORMATS)[number];
type Options = SelectionOptions & { readonly format?: Format; readonly semicolons?: boolean };

/** Adds the command. */
export function addLinksExport(links: Command): void {
  const format = links
    .createOption("--format <format>", "the form; that of the file's name, or else csv, unless given")
    .choices(FORMATS);
  addSelection(links.command("export"))
    .argument("[file]", "a new file; without one, or with -, standard output")
    .addOption(format)
    .option("--semicolons", "csv as Excel opens it where the decimal sign is a comma, as in Swedish")
    .description("write links as a table or as JSON, for another program; it has no token and no claims")
    .addHelpText(
      "after",
      examples(
        "janus links export links.csv",
        "janus links export --state told --format ndjson | jq .discord_user_id",
      ),
    )
    .action(async (word: string | undefined, options: Options, command: Command) => {
      const file = word === OUTPUT ? undefined : word;
      const { json } = readCommon(command);
      const environment = await readEnvironmentFor(command);
      const chosen = options.format ?? formatOf(file) ?? (json && file === undefined ? "json" : "csv");
      if (json && file === undefined && chosen === "csv")
        throw usage("--json prints JSON. Leave it out, or name a file for the table.");
      if (options.semicolons === true && chosen !== "csv")
        throw usage(`--semicolons is for csv, and this is ${chosen}. Leave it out, or add --format csv.`);
      const separator = options.semicolons === true ? ";" : ",";
      await exportLinks({ file, format: chosen, separator, options, environment, json });
    });
}

const formatOf = (file: string | undefined): Format | undefined =>
  FORMATS.find((format) => file?.endsWith(`.${format}`));

type Asked = {
  readonly file: string | undefined;
  readonly format: Format;
  readonly separator: Separator;
  readonly options: SelectionOptions;
  readonly environment: Environment;
  readonly json: boolean;
};

/** How far an export is. It outlasts a database that went away in between. */
type State = { after: string; links: number; isNoted: boolean; isBegun: boolean; isOpen: boolean };

async function exportLinks(asked: Asked): Promise<void> {
  const { file, environment, json } = asked;
  const config = readDatabaseConfig(environment);
  const state: State = { after: "", links: 0, isNoted: false, isBegun: false, isOpen: true };
  let sink: Sink | undefined;
  try {
    // Who names a file that is there already hears so at once, and not when the database answers.
    if (file !== undefined) requireFreeName(file, NO_FORCE);
    const { signal } = await withStoredDatabase(config, json, async (db) => {
      const queries = createQueries(db);
      sink ??= file === undefined ? STANDARD_OUTPUT : await openFile(file);
      return write(queries, sink, asked, state);
    });
    if (signal !== undefined) {
      await sink?.discard();
      endAsInterrupted(signal);
      return await warn(
        file === undefined ? "stopped before the last link" : "stopped before the last link: no file is left",
        json,
      );
    }
    await sink?.close();
  } catch (error) {
    await sink?.discard();
    throw error;
  }
  if (file === undefined) return;
  const { links } = state;
  await print(
    json
      ? toJson({ file, format: asked.format, links })
      : `${links === 1 ? "1 link is" : `${links} links are`} in ${printable(file, MOST_ECHOED)}.`,
  );
}

/** Where a long result goes. `write` is false when nobody reads any more. `discard` leaves nothing of a file behind. */
type Sink = {
  readonly write: (text: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
  readonly discard: () => Promise<void>;
};

const NO_FORCE = { force: undefined };

async function openFile(path: string): Promise<Sink> {
  const file = await openNewFile(path, NO_FORCE);
  const refuse = (error: unknown): never => {
    if (error instanceof JanusError) throw error;
    throw internal(`${printable(path, MOST_ECHOED)} cannot be written`, error);
  };
  return {
    write: (text) => file.write(text).then(() => true, refuse),
    close: () => file.finish().then(file.name).catch(refuse),
    discard: file.discard,
  };
}

/** A terminal would act on what a name has of control characters. A program gets every name as it is. */
const STANDARD_OUTPUT: Sink = {
  write: (text) => printPart(writesToTerminal() ? printableLines(text) : text),
  close: () => Promise.resolve(),
  discard: () => Promise.resolve(),
};

/** Writes every link. The trail keeps who took them, before the first one is out. */
async function write(queries: Queries, sink: Sink, asked: Asked, state: State) {
  const { options, environment, format, json, file } = asked;
  if (!state.isNoted)
    await queries.insertOperatorEvent({
      action: "links_exported",
      discordUserId: null,
      operator: readOperatorName(environment),
      detail: { format, selected_by: namesOf(options) },
      now: now(),
    });
  state.isNoted = true;
  const total = file === undefined ? 0 : ((await queries.countLinks({}))?.count ?? 0);
  const progress = createProgress(total, "links read", json || file === undefined);
  return untilToldToStop(
    async (stop) => {
      const put = async (text: string): Promise<void> => {
        if (text !== "" && state.isOpen) state.isOpen = await sink.write(text);
      };
      if (!state.isBegun) await put(headOf(asked));
      state.isBegun = true;
      const reading = { after: state.after, stop, onRead: progress.tell };
      for await (const page of readLinks({ queries }, selectionOf(options), reading)) {
        await put(page.map((link, index) => lineOf(link, asked, state.links + index === 0)).join(""));
        if (!state.isOpen) return;
        state.links += page.length;
        state.after = page.at(-1)?.discordUserId ?? state.after;
      }
      if (!stop.aborted) await put(format === "json" ? "\n]\n" : "");
    },
    () => undefined,
  ).finally(() => progress.end());
}

type Form = Pick<Asked, "format" | "separator">;

/** Without the mark such an Excel takes UTF-8 for another encoding. */
const BYTE_ORDER_MARK = "\uFEFF";

function headOf({ format, separator }: Form): string {
  if (format === "csv") return `${separator === ";" ? BYTE_ORDER_MARK : ""}${csvHead(separator)}\n`;
  return format === "json" ? "[" : "";
}

function lineOf(link: ListedLink, { format, separator }: Form, isFirst: boolean): string {
  if (format === "csv") return `${linkAsCsv(link, separator)}\n`;
  const text = toJson(linkAsJson(link));
  return format === "json" ? `${isFirst ? "" : ","}\n${text}` : `${text}\n`;
}
