/** What the query of a request asks for: a filter, a page, and some of the attributes. RFC 7644 3.4.2, 3.9 */
import { MAX_RESULTS } from "./discovery.ts";
import type { Read } from "./fault.ts";
import { refuse } from "./fault.ts";
import { plainName, readFilter } from "./filter.ts";
import type { Schema, Wanted } from "./resource.ts";
import type { Page } from "./users.ts";

/** More resources than Janus keeps. */
const MAX_START = 1_000_000;

/** Reads which page is asked for. A number below what makes sense counts as the least that does. RFC 7644 3.4.2.4 */
export function readPage(
  query: URLSearchParams,
  attributes: readonly string[],
  schema: Schema,
  mostResults = MAX_RESULTS,
): Read<Page> {
  if (["filter", "startIndex", "count"].some((name) => query.getAll(name).length > 1))
    return refuse("invalidValue", "filter, startIndex and count may each be given once.");
  const start = readNumber(query.get("startIndex"), 1);
  const count = readNumber(query.get("count"), mostResults);
  if (start === undefined || count === undefined)
    return refuse("invalidValue", "startIndex and count must be whole numbers.");
  const skipped = Math.min(Math.max(start, 1), MAX_START) - 1;
  const limit = Math.min(Math.max(count, 0), mostResults);
  const text = query.get("filter");
  if (text === null) return { value: { filter: undefined, skipped, limit } };
  const filter = readFilter(text, attributes, schema);
  return "fault" in filter ? filter : { value: { filter: filter.value, skipped, limit } };
}

const readNumber = (text: string | null, otherwise: number): number | undefined => {
  if (text === null) return otherwise;
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
};

/** Reads which attributes are wanted. A part of one asks for the whole, and to do without a part leaves the whole. */
export function readWanted(query: URLSearchParams, schema: Schema): Wanted {
  const namesIn = (parameter: string): readonly string[] =>
    (query.get(parameter) ?? "")
      .split(",")
      .map((name) => plainName(name.trim(), schema))
      .filter((name) => name !== "");
  const only = namesIn("attributes").map((name) => name.split(".")[0] ?? "");
  return { only: only.length === 0 ? undefined : only, without: namesIn("excludedAttributes") };
}
