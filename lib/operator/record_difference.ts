/**
 * What `janus register` would change at Discord: the metadata records that Discord has against those that it is to have.
 * Pure. A role on Discord asks for a record by its key and type, so a record that loses one of them takes roles away.
 */

/** A metadata record of either side. Discord leaves out localizations, or says null, where it has none. */
export type ComparedRecord = {
  readonly key: string;
  readonly type: number;
  readonly name: string;
  readonly name_localizations?: Localizations;
  readonly description: string;
  readonly description_localizations?: Localizations;
};
type Localizations = Readonly<Record<string, string | null | undefined>> | null | undefined;

/** A part of a record that differs: a field, or one language of a field, such as `name_localizations.sv-SE`. */
export type Part = { readonly name: string; readonly before: string | null; readonly after: string | null };

/** What becomes of the record of one key. `renamed` stands for a change of any of its texts. */
export type RecordChange = {
  readonly key: string;
  readonly change: "added" | "removed" | "retyped" | "renamed" | "unchanged";
  readonly before: ComparedRecord | undefined;
  readonly after: ComparedRecord | undefined;
  /** Of a record that both sides have: its texts that differ. */
  readonly parts: readonly Part[];
};

/**
 * Compares record by record, letter for letter. The order of the records does not count: Discord does not promise to keep
 * it. The result has the order of `after`, and then the records that go.
 */
export function compareRecords(
  before: readonly ComparedRecord[],
  after: readonly ComparedRecord[],
): readonly RecordChange[] {
  const had = new Map(before.map((record) => [record.key, record]));
  const kept = new Set(after.map(({ key }) => key));
  return [
    ...after.map((record) => compareRecord(had.get(record.key), record)),
    ...[...had.values()].filter(({ key }) => !kept.has(key)).map(removal),
  ];
}

/** Whether anything is to be done at Discord. */
export const hasChanges = (changes: readonly RecordChange[]): boolean =>
  changes.some(({ change }) => change !== "unchanged");

/** The changes after which a role that asks for the record takes no member any more. */
export const findLosses = (changes: readonly RecordChange[]): readonly RecordChange[] =>
  changes.filter(({ change }) => change === "removed" || change === "retyped");

const removal = (before: ComparedRecord): RecordChange => ({
  key: before.key,
  change: "removed",
  before,
  after: undefined,
  parts: [],
});

function compareRecord(before: ComparedRecord | undefined, after: ComparedRecord): RecordChange {
  const { key } = after;
  if (before === undefined) return { key, change: "added", before, after, parts: [] };
  const parts = [
    ...compareText("name", before.name, after.name),
    ...compareLocalizations("name_localizations", before, after),
    ...compareText("description", before.description, after.description),
    ...compareLocalizations("description_localizations", before, after),
  ];
  if (before.type !== after.type) return { key, change: "retyped", before, after, parts };
  return { key, change: parts.length > 0 ? "renamed" : "unchanged", before, after, parts };
}

function compareLocalizations(
  field: "name_localizations" | "description_localizations",
  before: ComparedRecord,
  after: ComparedRecord,
): readonly Part[] {
  const [had, has] = [localesOf(before[field]), localesOf(after[field])];
  const locales = [...new Set([...had.keys(), ...has.keys()])].sort();
  return locales.flatMap((locale) => compareText(`${field}.${locale}`, had.get(locale), has.get(locale)));
}

/** Only the languages that have a text. */
const localesOf = (localizations: Localizations): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(localizations ?? {}).flatMap(([locale, text]) =>
      typeof text === "string" ? [[locale, text] as const] : [],
    ),
  );

function compareText(name: string, before: string | undefined, after: string | undefined): readonly Part[] {
  return before === after ? [] : [{ name, before: before ?? null, after: after ?? null }];
}
