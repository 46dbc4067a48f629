/**
 * Discord's published limits on the bodies that this application sends, and its way of complaining about
 * them. Source: Discord's OpenAPI document and its reference of the application role connection resource.
 */

/** What a member's role connection holds. JSON `true` is accepted as a value, and no role ever matches it. */
export type RoleConnection = {
  readonly platform_name: string | null;
  readonly platform_username: string | null;
  readonly metadata: Readonly<Record<string, string | true>>;
};

/** A registered metadata record. */
export type MetadataRecord = {
  readonly type: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly name_localizations?: Readonly<Record<string, string | null>> | null;
  readonly description_localizations?: Readonly<Record<string, string | null>> | null;
};

/** The type of a record that is true for members: the value equals "1". */
export const BOOLEAN_EQUAL = 7;

/** Checks the body of a push. Answers with the role connection or Discord's refusal. */
export function checkRoleConnection(body: unknown): RoleConnection | Response {
  const complaints = createComplaints();
  const source = isObject(body) ? body : complaints.add([], ...NOT_OBJECT);
  const roleConnection = {
    platform_name: nullableText(source?.platform_name, ["platform_name"], 0, 50, complaints),
    platform_username: nullableText(source?.platform_username, ["platform_username"], 0, 100, complaints),
    metadata: checkMetadata(source?.metadata ?? {}, complaints),
  };
  return complaints.refusal() ?? roleConnection;
}

/** Checks the body that registers records. Answers with the records or Discord's refusal. */
export function checkRecords(body: unknown): readonly MetadataRecord[] | Response {
  const complaints = createComplaints();
  const entries = body === null ? [] : body;
  if (!Array.isArray(entries)) {
    complaints.add([], "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
    return complaints.refusal() ?? [];
  }
  if (entries.length > MAX_RECORDS) complaints.add([], ...tooLong(0, MAX_RECORDS));

  const records = entries.map((entry, index) => checkRecord(entry, String(index), complaints));
  const keys = records.map((record) => record.key);
  if (new Set(keys).size !== keys.length) {
    complaints.add([], "APPLICATION_ROLE_CONNECTION_METADATA_DUPLICATE", "Metadata keys must be unique");
  }
  return complaints.refusal() ?? records;
}

const MAX_RECORDS = 5;
const KEY = /^[a-z0-9_]{1,50}$/;
const NOT_OBJECT = ["MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"] as const;
const NOT_TEXT = ["STRING_TYPE_CONVERT", "Could not interpret value as string."] as const;
const BAD_KEY = ["STRING_TYPE_REGEX", "String value did not match validation regex."] as const;
const LOCALES = new Set(
  "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk vi zh-CN zh-TW".split(
    " ",
  ),
);

type Path = readonly string[];
type ErrorTree = { [field: string]: ErrorTree | { readonly code: string; readonly message: string }[] };
type Complaints = ReturnType<typeof createComplaints>;

function createComplaints() {
  const errors: ErrorTree = {};
  return {
    add(path: Path, code: string, message: string): undefined {
      let node = errors;
      for (const field of path) {
        const known = node[field];
        const next = known === undefined || Array.isArray(known) ? {} : known;
        node[field] = next;
        node = next;
      }
      const known = node._errors;
      node._errors = [...(Array.isArray(known) ? known : []), { code, message }];
    },
    refusal(): Response | undefined {
      if (Object.keys(errors).length === 0) return undefined;
      return Response.json({ message: "Invalid Form Body", code: 50035, errors }, { status: 400 });
    },
  };
}

function checkMetadata(value: unknown, complaints: Complaints): Record<string, string | true> {
  const source = isObject(value) ? value : complaints.add(["metadata"], ...NOT_OBJECT);
  const entries = Object.entries(source ?? {});
  if (entries.length > MAX_RECORDS) complaints.add(["metadata"], ...tooLong(0, MAX_RECORDS));
  const read = entries.map(([key, item]) => {
    if (!KEY.test(key)) complaints.add(["metadata", key], ...BAD_KEY);
    return [key, item === true ? true : text(item, ["metadata", key], 1, 100, complaints)] as const;
  });
  return Object.fromEntries(read);
}

function checkRecord(value: unknown, index: string, complaints: Complaints): MetadataRecord {
  const source: Record<string, unknown> = isObject(value) ? value : {};
  if (!isObject(value)) complaints.add([index], ...NOT_OBJECT);
  const type = Number.isInteger(source.type) ? Number(source.type) : 0;
  if (type < 1 || type > 8) {
    complaints.add([index, "type"], "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6, 7, 8).");
  }
  const key = text(source.key, [index, "key"], 1, 50, complaints);
  if (!KEY.test(key)) complaints.add([index, "key"], ...BAD_KEY);
  return {
    type,
    key,
    name: text(source.name, [index, "name"], 1, 100, complaints),
    description: text(source.description, [index, "description"], 1, 200, complaints),
    ...localizations(source, "name_localizations", index, 100, complaints),
    ...localizations(source, "description_localizations", index, 200, complaints),
  };
}

function localizations(
  source: Readonly<Record<string, unknown>>,
  field: "name_localizations" | "description_localizations",
  index: string,
  max: number,
  complaints: Complaints,
): { [name in typeof field]?: Record<string, string | null> | null } {
  const value = source[field];
  if (value === undefined || value === null) return value === null ? { [field]: null } : {};
  const localized: Record<string, string> = {};
  const given = isObject(value) ? value : complaints.add([index, field], ...NOT_OBJECT);
  for (const [locale, item] of Object.entries(given ?? {})) {
    const path = [index, field, locale];
    if (!LOCALES.has(locale)) complaints.add(path, "BASE_TYPE_CHOICES", "Value must be one of the locales.");
    const checked = nullableText(item, path, 1, max, complaints);
    // Discord takes null for a language without a text, and does not show such a language again.
    if (checked !== null) localized[locale] = checked;
  }
  return { [field]: localized };
}

function nullableText(
  value: unknown,
  path: Path,
  min: number,
  max: number,
  complaints: Complaints,
): string | null {
  return value === undefined || value === null ? null : text(value, path, min, max, complaints);
}

function text(value: unknown, path: Path, min: number, max: number, complaints: Complaints): string {
  if (value === undefined) complaints.add(path, "BASE_TYPE_REQUIRED", "This field is required");
  else if (typeof value !== "string") complaints.add(path, ...NOT_TEXT);
  if (typeof value !== "string") return "";
  const length = [...value].length;
  if (length < min || length > max) complaints.add(path, ...tooLong(min, max));
  return value;
}

function tooLong(min: number, max: number): readonly [string, string] {
  return ["BASE_TYPE_BAD_LENGTH", `Must be between ${min} and ${max} in length.`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
