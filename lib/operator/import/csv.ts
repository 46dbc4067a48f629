/**
 * Links in a CSV file (RFC 4180) in UTF-8, with or without a byte order mark. The first line names the columns, and shows what
 * separates fields: a spreadsheet writes semicolons where the decimal sign is a comma, as in Swedish. The file is
 * streamed, and no record is longer than MAX_RECORD_BYTES, so a quote that is never closed does not take all memory.
 */
import { createReadStream } from "node:fs";
import { promises } from "node:stream";
import { CsvError, parse } from "csv-parse";
import * as v from "valibot";
import { importRefused } from "../../errors.ts";
import { describeCause } from "../../telemetry/log.ts";
import { decodeText } from "../../text/decode.ts";
import { printable } from "../../text/printable.ts";
import { describeUnreadable } from "../../text/unreadable_file.ts";
import type { ImportSource, Reader } from "./source.ts";

const MAX_RECORD_BYTES = 8_192;
const MOST_ECHOED = 200;

const item = v.object({ record: v.array(v.string()), info: v.object({ lines: v.number() }) });

/** The columns that a file may have. */
const COLUMNS = ["discord_user_id", "subject", "username", "refresh_token"] as const;
type Column = (typeof COLUMNS)[number];

const HEADERS =
  'The first line must be "discord_user_id,subject" or "discord_user_id,username", either with ",refresh_token" or without. ' +
  "Fields may be separated by semicolons or tabs as well.";

/** A file as a source. */
export function createCsvSource(path: string): ImportSource {
  const name = printable(path, MOST_ECHOED);
  return {
    kind: "csv",
    name,
    counts: "line",
    read: async (reader) => {
      await readFile(path, name, reader);
      return { unfinished: 0 };
    },
  };
}

async function readFile(path: string, name: string, reader: Reader): Promise<void> {
  try {
    const text = decode(path, name);
    await readText(await readBeginning(text), text, name, reader);
  } catch (error) {
    throw explain(error, name);
  }
}

async function readText(
  beginning: string,
  rest: AsyncIterable<string>,
  name: string,
  reader: Reader,
): Promise<void> {
  const parser = parse({
    delimiter: delimiterOf(beginning),
    info: true,
    max_record_size: MAX_RECORD_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  let columns: readonly Column[] | undefined;
  await promises.pipeline(after(beginning, rest), parser, async (items: AsyncIterable<unknown>) => {
    for await (const given of items) {
      const { record, info } = v.parse(item, given);
      if (columns === undefined) columns = readHeader(record, name);
      else readRecord(record, columns, info.lines, reader);
    }
  });
  if (columns === undefined) throw importRefused(`${name} is empty. ${HEADERS}`);
}

/** The text up to the end of its first line or beyond, or as much of it as a row may have. The rest is still to be read. */
async function readBeginning(text: AsyncGenerator<string>): Promise<string> {
  let beginning = "";
  while (beginning.length <= MAX_RECORD_BYTES && !/\S.*\n/.test(beginning)) {
    const { done, value } = await text.next();
    if (done === true) break;
    beginning += value;
  }
  return beginning;
}

async function* after(beginning: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield beginning;
  yield* rest;
}

/** The character after the name of the first column; a comma if Janus does not know the line. */
const delimiterOf = (beginning: string): string =>
  /^\s*"?discord_user_id"?[ ]*([,;\t])/.exec(beginning)?.[1] ?? ",";

/** The file as text. Another encoding would import other names. */
async function* decode(path: string, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let lines = 1;
  const toText = (bytes: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes.length > 0 });
    } catch {
      const line = lines + countEnds(bytes.subarray(0, findFault(bytes)));
      throw importRefused(`${name}, line ${line}: not text in UTF-8. Export it as CSV in UTF-8.`);
    }
  };
  for await (const chunk of createReadStream(path)) {
    yield toText(chunk);
    lines += countEnds(chunk);
  }
  yield toText(new Uint8Array());
}

const END_OF_LINE = 10;
const countEnds = (bytes: Uint8Array): number =>
  bytes.reduce((ends, byte) => ends + Number(byte === END_OF_LINE), 0);

/** Where text stops being text, within a line: the start of the first line that cannot be decoded by itself. */
function findFault(bytes: Uint8Array): number {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(END_OF_LINE, start);
    const isLast = end === -1;
    // The chunk before may have had the beginning of the first character.
    const from = start === 0 ? skipRest(bytes) : start;
    if (isLast || decodeText(bytes.subarray(from, end)) === undefined) return start;
    start = end + 1;
  }
  return 0;
}

/** After the bytes that continue a character. RFC 3629, 3 */
const skipRest = (bytes: Uint8Array): number =>
  Math.max(
    0,
    bytes.findIndex((byte) => byte < 0x80 || byte > 0xbf),
  );

function readHeader(record: readonly string[], name: string): readonly Column[] {
  const columns = record.flatMap((field) => COLUMNS.find((column) => column === field) ?? []);
  const [first, second] = columns;
  const isKnown =
    columns.length === record.length &&
    first === "discord_user_id" &&
    (second === "subject" || second === "username") &&
    (columns.length === 2 || (columns.length === 3 && columns[2] === "refresh_token"));
  if (isKnown) return columns;
  throw importRefused(`${name} does not begin with a line that Janus knows. ${HEADERS}`);
}

function readRecord(
  record: readonly string[],
  columns: readonly Column[],
  line: number,
  { onRow, onMisshapen }: Reader,
): void {
  if (record.length !== columns.length) {
    onMisshapen(line);
    return;
  }
  const fieldOf = (column: Column): string | null => record[columns.indexOf(column)] ?? null;
  onRow({
    line,
    discordUserId: fieldOf("discord_user_id") ?? "",
    subject: fieldOf("subject"),
    username: fieldOf("username"),
    discordUsername: null,
    name: null,
    accessToken: null,
    refreshToken: fieldOf("refresh_token") || null,
    expiresAt: null,
  });
}

/** The parser's own messages repeat what stands in the file, which may be a token. */
function explain(error: unknown, name: string): unknown {
  if (error instanceof CsvError) {
    const line = "lines" in error && typeof error.lines === "number" ? `, line ${error.lines}` : "";
    const isLong = error.code === "CSV_MAX_RECORD_SIZE";
    return importRefused(
      isLong
        ? `${name}${line}: this row is over ${MAX_RECORD_BYTES / 1_024} KB, or a quote is never closed.`
        : `${name}${line}: not CSV: a quote must begin and end a field, and is doubled within one.`,
    );
  }
  const { causeCode } = describeCause(error);
  return ["ENOENT", "EACCES", "EISDIR", "EPERM"].includes(causeCode ?? "")
    ? importRefused(describeUnreadable(name, causeCode))
    : error;
}
