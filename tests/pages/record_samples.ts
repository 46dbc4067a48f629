/** Metadata records of one member in every form, and rules that do not admit everybody. */
import type { RecordFacts } from "../../lib/member/facts.ts";
import type { Admitting } from "../../lib/pages/not_admitted.tsx";
import type { RecordType } from "../../lib/rules/records.ts";
import { RECORD_TYPES } from "../../lib/rules/records.ts";
import { readRule } from "../../lib/rules/rule.ts";
import type { Messages } from "../../lib/rules/rule_set.ts";

export const RECORD_NAME = "On the board";
export const RECORD_DESCRIPTION = "Sits on the board of the guild";

/** What the rules say of a record. */
export const says = (value: string): RecordFacts["outcome"] => ({ outcome: "value", value });
export const UNKNOWN: RecordFacts["outcome"] = { outcome: "unknown", missing: "claims.groups" };
export const ERROR: RecordFacts["outcome"] = { outcome: "error", reason: "claims.groups is a text" };

/** A record with what Discord has. The rules say the same, unless given. */
export function recordFacts(
  type: RecordType,
  value: string | null,
  outcome: RecordFacts["outcome"] = says(value ?? "1"),
  record: Partial<RecordFacts["record"]> = {},
): RecordFacts {
  const plain = { key: type, name: RECORD_NAME, description: RECORD_DESCRIPTION };
  return { record: { ...plain, type: RECORD_TYPES[type], ...record }, value, outcome };
}

/** A member, yes or no, as `register` puts it without a rules file. */
export const memberRecord = (
  value: string | null,
  outcome: RecordFacts["outcome"] = says(value ?? "1"),
): RecordFacts =>
  recordFacts("boolean_equal", value, outcome, {
    key: "dsek_member",
    name: "Member",
    name_localizations: { "sv-SE": "Medlem", de: "Mitglied" },
  });

/** Rules that admit few, with the operator's message. */
export function admitting(message: Messages): Admitting {
  const when = readRule("false", "boolean", []);
  if ("reason" in when) throw new Error(when.reason);
  return { admit: { when, message } };
}

/** Before the first push. */
export const NOT_TOLD = { pushedMetadata: null, pushedAt: null, records: [memberRecord(null)] };

export const CLEARED_AT = new Date("2026-07-05T10:03:00Z");

/** The role connection was cleared. */
export const CLEARED = {
  pushedMetadata: {},
  clearedAt: CLEARED_AT,
  clearCause: "not_admitted",
  records: [memberRecord(null)],
} as const;

/** An operator's texts, and what Discord has of a record, in no form that a page knows. */
type OwnTexts = {
  readonly recordName: string;
  readonly recordDescription: string;
  readonly recordValue: string;
};

/** One of each kind and of each outcome, with an operator's own texts. */
export function manyRecords(outside: OwnTexts): readonly RecordFacts[] {
  const own = { name: outside.recordName, description: outside.recordDescription };
  return [
    recordFacts("boolean_equal", "1", undefined, own),
    recordFacts("integer_greater_than_or_equal", "1234567", UNKNOWN, own),
    recordFacts("datetime_less_than_or_equal", "2026-07-05T10:03:00.000Z", ERROR, own),
    recordFacts("integer_equal", null, ERROR, own),
    recordFacts("boolean_not_equal", outside.recordValue, says("1"), own),
  ];
}
