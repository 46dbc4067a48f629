/**
 * Metadata records as the commands show them, and the difference between two lists of them: as lines for an operator, and
 * as JSON. What comes from Discord is made printable.
 */
import type { ComparedRecord, Part, RecordChange } from "../operator/record_difference.ts";
import { findLosses } from "../operator/record_difference.ts";
import { recordTypeOf } from "../rules/records.ts";
import { printable } from "../text/printable.ts";
import { formatTable } from "./table.ts";

const MOST_SHOWN = 200;

/** What each change is marked with, so that a list of them can be read at a glance. */
const MARKS: Readonly<Record<RecordChange["change"], string>> = {
  added: "+",
  removed: "-",
  retyped: "!",
  renamed: "~",
  unchanged: " ",
};

/** The records as a table. */
export const formatRecords = (records: readonly ComparedRecord[]): string =>
  formatTable(
    records.map((record) => [keyOf(record), typeOf(record), quote(record.name), quote(record.description)]),
  );

/** The changes as a table, each with its texts that differ below it. */
export function formatChanges(changes: readonly RecordChange[]): string {
  const heads = formatTable(
    changes.map((one) => [MARKS[one.change], one.change, keyOf(one), describeTypes(one), describeName(one)]),
  ).split("\n");
  return heads.flatMap((head, index) => [head, ...(changes[index]?.parts ?? []).map(formatPart)]).join("\n");
}

/** One warning for each record that roles may no longer find; none where nothing is lost. */
export const warnOfLosses = (changes: readonly RecordChange[]): readonly string[] =>
  findLosses(changes).map(({ key, change }) => {
    const why = change === "removed" ? "is removed" : "gets another type";
    return `the record ${keyOf({ key })} ${why}: members lose the roles that require it, until an admin changes these roles`;
  });

/** A record as JSON: the type by its name, and null for what it does not have. */
export const recordAsJson = (record: ComparedRecord) => ({
  key: record.key,
  type: typeOf(record),
  name: record.name,
  name_localizations: record.name_localizations ?? null,
  description: record.description,
  description_localizations: record.description_localizations ?? null,
});

/** The changes as JSON. */
export const changesAsJson = (changes: readonly RecordChange[]) =>
  changes.map(({ key, change, before, after, parts }) => ({
    key,
    change,
    before: before === undefined ? null : recordAsJson(before),
    after: after === undefined ? null : recordAsJson(after),
    parts,
  }));

const keyOf = ({ key }: { readonly key: string }): string => printable(key, MOST_SHOWN);

/** Discord may have a type that this Janus does not know. */
const typeOf = ({ type }: ComparedRecord): string => recordTypeOf(type) ?? `type ${type}`;

function describeTypes({ before, after }: RecordChange): string {
  const types = [before, after].flatMap((record) => (record === undefined ? [] : [typeOf(record)]));
  return [...new Set(types)].join(" -> ");
}

const describeName = ({ before, after }: RecordChange): string => quote((after ?? before)?.name ?? "");

const formatPart = ({ name, before, after }: Part): string =>
  `      ${printable(name, MOST_SHOWN)}: ${before === null ? "none" : quote(before)} -> ${after === null ? "none" : quote(after)}`;

const quote = (text: string): string => `"${printable(text, MOST_SHOWN)}"`;
