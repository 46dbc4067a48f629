/**
 * What a member would lose: values that Discord has of them and that the rules no longer give. The brake counts members who
 * lose something, so what changes every day must not look like a loss.
 */
import type { MetadataRecord } from "./records.ts";
import { valueKindOf } from "./records.ts";
import { pushedValue } from "./role_connection.ts";

type Metadata = Readonly<Record<string, string>>;

/** The keys whose values a member would lose. A record that the rules no longer have is not registered, so no role needs it. */
export function findLosses(
  records: readonly Pick<MetadataRecord, "key" | "type">[],
  before: Metadata,
  after: Metadata,
): readonly string[] {
  return records
    .filter(({ key, type }) => isLoss(type, pushedValue(before, key), pushedValue(after, key)))
    .map(({ key }) => key);
}

/**
 * A yes that becomes a no, a number that falls to zero, or a value that is gone. Other changes of numbers and dates may be
 * anything: nobody knows what a role compares them with.
 */
function isLoss(type: number, before: string | undefined, after: string | undefined): boolean {
  if (before === undefined || before === after) return false;
  switch (valueKindOf(type)) {
    case "boolean":
      return before === "1";
    case "integer":
      return after === undefined || (Number(after) === 0 && Number(before) > 0);
    case "datetime":
      return after === undefined;
  }
}

/** The values that differ, by their keys: what Discord had, and what it is told. Null stands for none. */
export function describeChanges(
  before: Metadata,
  after: Metadata,
): Readonly<Record<string, { readonly from: string | null; readonly to: string | null }>> {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changes = [...keys].map((key) => {
    const [from, to] = [pushedValue(before, key) ?? null, pushedValue(after, key) ?? null];
    return [key, { from, to }] as const;
  });
  return Object.fromEntries(changes.filter(([, { from, to }]) => from !== to));
}
