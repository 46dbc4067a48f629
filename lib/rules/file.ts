/**
 * The rules file: TOML that becomes a rule set, or all its faults at once, each with its place. Bun reads the TOML,
 * `shape.ts` has the form of the file, and `rule.ts` reads its expressions.
 */
import { printable } from "../text/printable.ts";
import type { ExpressionFault } from "./cel.ts";
import type { Path, Position } from "./positions.ts";
import { createLocate, findSyntaxError } from "./positions.ts";
import { RECORD_TYPES, valueKindOf } from "./records.ts";
import type { Rule, RuleKind } from "./rule.ts";
import { readRule } from "./rule.ts";
import type { RuleSet } from "./rule_set.ts";
import { createRuleSet, SCIM_SOURCE } from "./rule_set.ts";
import type { FileShape, ShapeFault } from "./shape.ts";
import { readShape } from "./shape.ts";

/** A fault of the file. The reason names the thing, the fault and the remedy. */
export type RulesFault = {
  /** The key of the record that has it. */
  readonly record?: string;
  readonly line?: number;
  readonly column?: number;
  readonly reason: string;
};

/** The rules, or everything that is wrong with them, in the order of the file. */
export type ParsedRules = { readonly rules: RuleSet } | { readonly faults: readonly RulesFault[] };

/** Reads the text of a rules file. `path` is only for messages. */
export async function parseRules(path: string, text: string): Promise<ParsedRules> {
  let toml: unknown;
  try {
    toml = Bun.TOML.parse(text);
  } catch (error) {
    const reason = `this is not TOML: ${describeSyntaxError(error)}`;
    return { faults: [{ ...(await findSyntaxError(text)), reason }] };
  }
  const { shape, faults } = readShape(toml);
  const reading = createReading(shape, [...faults]);
  const rules = reading.read(path);
  if (rules !== undefined && reading.faults.length === 0) return { rules };
  return { faults: await locateAll(text, toml, reading.faults) };
}

/** Bun's messages quote at most one character or one key of the file. */
function describeSyntaxError(error: unknown): string {
  if (!(error instanceof Error) || error instanceof RangeError) return "it is nested too deeply";
  return printable(error.message.replace(/^TOML Parse error: /, ""), 200);
}

/** Reads the expressions of a file, and collects their faults beside those of its form. */
function createReading(shape: FileShape, faults: ShapeFault[]) {
  const sourceNames = [...shape.sources.map(({ name }) => name), SCIM_SOURCE];
  const readAt = (
    path: Path,
    expression: string | undefined,
    kind: RuleKind | undefined,
  ): Rule | undefined => {
    if (expression === undefined) return undefined;
    const rule = readRule(expression, kind, sourceNames);
    if (!isFault(rule)) return rule;
    faults.push({ path, place: rule.offset, reason: rule.reason });
    return undefined;
  };
  return {
    faults,
    /** Undefined if a part that the set needs is missing, which is among the faults. */
    read: (path: string): RuleSet | undefined => {
      const { platformUsername, admit } = shape;
      const username = readAt(
        ["platform_username"],
        platformUsername === "" ? undefined : platformUsername,
        "text",
      );
      const when = readAt(["admit", "when"], admit?.when, "boolean");
      const administers = readAt(["admin", "when"], shape.admin?.when, "boolean");
      if (administers?.readsAccount === true)
        faults.push({ path: ["admin", "when"], reason: ADMIN_READS_ACCOUNT });
      const records = shape.records.flatMap(({ index, type, record, value: expression }) => {
        const kind = type === undefined ? undefined : valueKindOf(RECORD_TYPES[type]);
        const value = readAt(["record", index, "value"], expression, kind);
        return type === undefined || record === undefined || value === undefined
          ? []
          : [{ type, record, value }];
      });
      if (faults.length > 0) return undefined;
      return createRuleSet({
        path,
        platformUsername: username,
        admit:
          when === undefined || admit?.message === undefined ? undefined : { when, message: admit.message },
        admin: administers,
        records,
        sources: shape.sources,
      });
    },
  };
}

const ADMIN_READS_ACCOUNT =
  "the expression reads discord or linked_at: an administrator need not have a link, so write it over claims";

const isFault = (rule: Rule | ExpressionFault): rule is ExpressionFault => "reason" in rule;

/** Where something is missing from the whole file. */
const START: Position = { line: 1, column: 1 };

/** Adds to each fault its place in the file, and the key of its record. */
async function locateAll(
  text: string,
  toml: unknown,
  faults: readonly ShapeFault[],
): Promise<readonly RulesFault[]> {
  const locate = await createLocate(text);
  const located = faults.map(({ path, place, reason }): RulesFault => {
    const record = keyOfRecord(toml, path);
    return { ...(record === undefined ? {} : { record }), ...(locate(path, place) ?? START), reason };
  });
  return located.toSorted(
    (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
  );
}

/** The key of the record that a path is in, or its number where it has no key. */
function keyOfRecord(toml: unknown, [first, index]: Path): string | undefined {
  if (first !== "record" || typeof index !== "number") return undefined;
  const record: unknown = isTable(toml) && Array.isArray(toml.record) ? toml.record[index] : undefined;
  return isTable(record) && typeof record.key === "string" ? printable(record.key, 60) : `#${index + 1}`;
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A fault as one line, as compilers write it, so that editors and terminals can lead to the place. */
export function describeRulesFault(path: string, { record, line, column, reason }: RulesFault): string {
  const place = [printable(path), line, column].filter((part) => part !== undefined).join(":");
  return `${place}: ${record === undefined ? "" : `record ${JSON.stringify(record)}: `}${reason}`;
}
