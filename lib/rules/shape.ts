/**
 * The form of a rules file: which tables and keys it has, and what Discord accepts in them. It collects every fault, and
 * leaves out what is wrong, so that the rest can be checked as well.
 */
import * as v from "valibot";
import { secureUrl } from "../config/secure_address.ts";
import { findTypo } from "../config/typo.ts";
import type { Language } from "../text/languages.ts";
import { LANGUAGES } from "../text/languages.ts";
import { printable } from "../text/printable.ts";
import { isSeen } from "../text/shown_name.ts";
import type { Path } from "./positions.ts";
import type { MetadataRecord, RecordType } from "./records.ts";
import { isRecordType, LOCALES, MAX_RECORDS, RECORD_TYPES, recordTypes } from "./records.ts";
import { NOTHING_KNOWN } from "./role_connection.ts";
import type { ClaimSource, Messages } from "./rule_set.ts";
import { SCIM_SOURCE } from "./rule_set.ts";

/** A fault at a path. Its place is that of the value, unless it says otherwise. */
export type ShapeFault = { readonly path: Path; readonly place?: "key" | number; readonly reason: string };

/** What the file says, in so far as it is right. Expressions are still texts. */
export type FileShape = {
  /** Undefined if the key is missing; empty for no username. */
  readonly platformUsername: string | undefined;
  readonly admit: { readonly when: string | undefined; readonly message: Messages | undefined } | undefined;
  readonly admin: { readonly when: string | undefined } | undefined;
  readonly records: readonly {
    readonly index: number;
    readonly type: RecordType | undefined;
    /** Undefined if a part of it is wrong. */
    readonly record: MetadataRecord | undefined;
    readonly value: string | undefined;
  }[];
  readonly sources: readonly ClaimSource[];
};

type Table = Readonly<Record<string, unknown>>;

const MAX_SOURCES = 5;
const MAX_NAME = 100;
const MAX_DESCRIPTION = 200;
const MAX_MESSAGE = 500;
const MAX_URL = 2_000;
const RECORD_KEY = /^[a-z0-9_]{1,50}$/;
const SOURCE_NAME = /^[a-z][a-z0-9_]{0,49}$/;
const KEYS = {
  top: ["platform_username", "admit", "admin", "record", "source"],
  admit: ["when", "message"],
  admin: ["when"],
  record: ["key", "type", "name", "description", "name_localizations", "description_localizations", "value"],
  source: ["name", "url"],
} as const;

/** Reads the form of a file. */
export function readShape(toml: unknown): {
  readonly shape: FileShape;
  readonly faults: readonly ShapeFault[];
} {
  const file = createFile();
  const top = isTable(toml) ? toml : {};
  file.refuseUnknown(top, [], KEYS.top);
  return {
    shape: {
      platformUsername: file.text(top, ["platform_username"], "optional"),
      admit: readAdmit(file, top),
      admin: readAdmin(file, top),
      records: readRecords(file, top),
      sources: readSources(file, top),
    },
    faults: file.faults,
  };
}

type File = ReturnType<typeof createFile>;

/** Reads values, and notes what is wrong with them. */
function createFile() {
  const faults: ShapeFault[] = [];
  const note = (path: Path, reason: string, place?: "key"): undefined => {
    faults.push({ path, reason, ...(place === undefined ? {} : { place }) });
  };
  const valueAt = (table: Table, path: Path): unknown => {
    const name = String(path.at(-1));
    return Object.hasOwn(table, name) ? table[name] : undefined;
  };
  return {
    faults,
    note,
    refuseUnknown: (table: Table, path: Path, known: readonly string[]): void => {
      for (const key of Object.keys(table).filter((one) => !known.includes(one))) {
        const meant = findTypo(key, known);
        const remedy = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
        note([...path, key], `${show(key)} is not a key here: ${remedy}`, "key");
      }
    },
    text: (table: Table, path: Path, need: "required" | "optional"): string | undefined => {
      const value = valueAt(table, path);
      if (value === undefined && need === "optional") return undefined;
      if (value === undefined) return note(path, `${nameOf(path)} is missing`);
      return typeof value === "string" ? value : note(path, `${nameOf(path)} must be a text in quotes`);
    },
    table: (table: Table, path: Path): Table | undefined => {
      const value = valueAt(table, path);
      if (value === undefined) return undefined;
      return isTable(value) ? value : note(path, `${path.at(-1)} must be a table`);
    },
    tables: (table: Table, path: Path): readonly Table[] => {
      const value = valueAt(table, path);
      if (value === undefined) return [];
      if (Array.isArray(value) && value.every(isTable)) return value;
      note(path, `${path.at(-1)} must be written as [[${path.at(-1)}]]`, "key");
      return [];
    },
  };
}

function readAdmit(file: File, top: Table): FileShape["admit"] {
  const admit = file.table(top, ["admit"]);
  if (admit === undefined) return undefined;
  file.refuseUnknown(admit, ["admit"], KEYS.admit);
  return { when: file.text(admit, ["admit", "when"], "required"), message: readMessages(file, admit) };
}

function readAdmin(file: File, top: Table): FileShape["admin"] {
  const admin = file.table(top, ["admin"]);
  if (admin === undefined) return undefined;
  file.refuseUnknown(admin, ["admin"], KEYS.admin);
  return { when: file.text(admin, ["admin", "when"], "required") };
}

function readMessages(file: File, admit: Table): Messages | undefined {
  const path = ["admit", "message"];
  const messages = file.table(admit, path);
  if (messages === undefined) {
    if (!Object.hasOwn(admit, "message"))
      file.note(
        path,
        'message.en is missing: say in it who may link, such as message.en = "Only members can link."',
      );
    return undefined;
  }
  file.refuseUnknown(messages, path, LANGUAGES);
  const read = (language: Language) => readMessage(file, messages, [...path, language]);
  const [en, others] = [read("en"), LANGUAGES.filter((language) => language !== "en")];
  const translated = others.map((language) => [language, read(language)] as const);
  if (en === undefined) return undefined;
  return { en, ...Object.fromEntries(translated.filter(([, message]) => message !== undefined)) };
}

function readMessage(file: File, messages: Table, path: Path): string | undefined {
  const message = file.text(messages, path, path.at(-1) === "en" ? "required" : "optional")?.trim();
  if (message === undefined) return undefined;
  if (!isSeen(message)) return file.note(path, `message.${path.at(-1)} is empty`);
  if (lengthOf(message) > MAX_MESSAGE)
    return file.note(path, `message.${path.at(-1)} is over ${MAX_MESSAGE} characters long`);
  if (/[^\P{Cc}\n\r\t]/u.test(message))
    return file.note(path, `message.${path.at(-1)} has a control character`);
  return message;
}

const NO_RECORD = "no [[record]]: Discord needs one to five of them";

function readRecords(file: File, top: Table): FileShape["records"] {
  const tables = file.tables(top, ["record"]);
  if (!Object.hasOwn(top, "record")) file.note([], NO_RECORD);
  else if (Array.isArray(top.record) && top.record.length === 0) file.note(["record"], NO_RECORD);
  if (tables.length > MAX_RECORDS)
    file.note(
      ["record", MAX_RECORDS],
      `record ${MAX_RECORDS + 1}: Discord takes at most ${MAX_RECORDS} records`,
    );
  const keys = tables.map(({ key }) => key);
  return tables.map((table, index) => {
    const path = ["record", index];
    file.refuseUnknown(table, path, KEYS.record);
    const key = readKey(file, table, [...path, "key"]);
    if (key !== undefined && keys.indexOf(key) < index)
      file.note([...path, "key"], `the key "${key}" is that of another record: a key is used once`);
    const type = readType(file, table, [...path, "type"]);
    const name = readText(file, table, [...path, "name"], MAX_NAME);
    const description = readText(file, table, [...path, "description"], MAX_DESCRIPTION);
    const localizations = {
      ...readLocalizations(file, table, [...path, "name_localizations"], MAX_NAME),
      ...readLocalizations(file, table, [...path, "description_localizations"], MAX_DESCRIPTION),
    };
    const value = file.text(table, [...path, "value"], "required");
    const isWhole =
      key !== undefined && type !== undefined && name !== undefined && description !== undefined;
    const record = isWhole
      ? { type: RECORD_TYPES[type], key, name, description, ...localizations }
      : undefined;
    return { index, type, record, value };
  });
}

function readKey(file: File, table: Table, path: Path): string | undefined {
  const key = file.text(table, path, "required");
  if (key === undefined) return undefined;
  if (!RECORD_KEY.test(key))
    return file.note(path, `the key ${show(key)} is not 1 to 50 of the characters a-z, 0-9 and _`);
  return key === NOTHING_KNOWN.key
    ? file.note(path, `the key "${key}" is reserved: Janus pushes it if nothing is known of a member`)
    : key;
}

function readType(file: File, table: Table, path: Path): RecordType | undefined {
  const type = file.text(table, path, "required");
  if (type === undefined || isRecordType(type)) return type;
  return file.note(path, `${show(type)} is not a type of Discord: there are ${recordTypes().join(", ")}`);
}

function readText(file: File, table: Table, path: Path, most: number): string | undefined {
  const text = file.text(table, path, "required");
  return text === undefined ? undefined : checkText(file, text, path, most);
}

function checkText(file: File, text: string, path: Path, most: number): string | undefined {
  const what = path.slice(2).join(".");
  if (!isSeen(text)) return file.note(path, `${what} is empty`);
  if (lengthOf(text) > most) return file.note(path, `${what} is over ${most} characters long`);
  if (text !== text.trim()) return file.note(path, `${what} has blanks at its start or end`);
  return /\p{Cc}/u.test(text) ? file.note(path, `${what} has a control character`) : text;
}

/** The localizations under their own name; empty if the file has none, so that Discord is sent none. */
function readLocalizations(
  file: File,
  table: Table,
  path: Path,
  most: number,
): Readonly<Record<string, Table>> {
  const localizations = file.table(table, path);
  if (localizations === undefined) return {};
  for (const locale of Object.keys(localizations).filter((one) => !LOCALES.some((known) => known === one)))
    file.note([...path, locale], describeLocale(locale), "key");
  const known = LOCALES.flatMap((locale): [string, string][] => {
    const text = file.text(localizations, [...path, locale], "optional");
    const checked = text === undefined ? undefined : checkText(file, text, [...path, locale], most);
    return checked === undefined ? [] : [[locale, checked]];
  });
  return { [String(path.at(-1))]: Object.fromEntries(known) };
}

function describeLocale(locale: string): string {
  const meant = LOCALES.find((known) => known.startsWith(`${locale}-`));
  const remedy = meant === undefined ? `there are ${LOCALES.join(", ")}` : `did you mean ${meant}?`;
  return `${show(locale)} is not a locale of Discord: ${remedy}`;
}

function readSources(file: File, top: Table): readonly ClaimSource[] {
  const tables = file.tables(top, ["source"]);
  if (tables.length > MAX_SOURCES)
    file.note(["source", MAX_SOURCES], `there can be at most ${MAX_SOURCES} sources`);
  const names = tables.map(({ name }) => name);
  return tables.flatMap((table, index) => {
    const path = ["source", index];
    file.refuseUnknown(table, path, KEYS.source);
    const name = file.text(table, [...path, "name"], "required");
    if (name !== undefined && !SOURCE_NAME.test(name))
      file.note(
        [...path, "name"],
        `the name ${show(name)} is not a letter and up to 49 of the characters a-z, 0-9 and _`,
      );
    if (name === SCIM_SOURCE)
      file.note(
        [...path, "name"],
        `the name "${name}" is that of what a SCIM client tells: choose another name`,
      );
    if (name !== undefined && names.indexOf(name) < index)
      file.note([...path, "name"], `the name ${show(name)} is that of another source: a name is used once`);
    const url = readUrl(file, table, [...path, "url"]);
    // Without its address a source still has its name, so that the rules that read it are not at fault as well.
    return name === undefined ? [] : [{ name, url: url ?? "" }];
  });
}

function readUrl(file: File, table: Table, path: Path): string | undefined {
  const text = file.text(table, path, "required");
  if (text === undefined) return undefined;
  if (text.length > MAX_URL) return file.note(path, `url is over ${MAX_URL} characters long`);
  const checked = v.safeParse(secureUrl, text);
  if (!checked.success) return file.note(path, `url ${checked.issues[0].message}`);
  return checked.output.includes("#") ? file.note(path, "url must not have a fragment") : checked.output;
}

/** A key as the file writes it within its table, such as `message.en`. */
const nameOf = (path: Path): string =>
  path.filter((part) => typeof part === "string" && !TABLES.includes(part)).join(".");
const TABLES: readonly string[] = ["admit", "admin", "record", "source"];

/** Discord counts characters, and not code units. */
const lengthOf = (text: string): number => [...text].length;

const show = (text: string): string => `"${printable(text, 60)}"`;

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
