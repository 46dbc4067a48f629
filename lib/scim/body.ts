/**
 * The body of a request that creates or replaces a resource. Names of attributes do not have a case. What Janus does not keep
 * is accepted, and not looked at. RFC 7643 2.1, RFC 7644 3.3, 3.5.1
 */
import { decodeText } from "../text/decode.ts";
import type { JsonObject } from "../text/json_object.ts";
import { isJsonObject } from "../text/json_object.ts";
import type { Fault, Read } from "./fault.ts";
import { refuse } from "./fault.ts";
import { plainName } from "./filter.ts";
import type { Schema } from "./resource.ts";

/** What changes of a user. An attribute that is left out stays. */
export type UserChange = {
  readonly userName?: string;
  /** Null removes it. */
  readonly externalId?: string | null;
  readonly isActive?: boolean;
};

/** What changes of a group, but for its members. */
export type GroupChange = { readonly displayName?: string; readonly externalId?: string | null };

/**
 * What changes of the members of a group: those that are in it stay, or leave, or the request says of each whether it is in
 * or out.
 */
export type MemberChange = { readonly others: "stay" | "leave"; readonly isIn: ReadonlyMap<string, boolean> };

const MAX_TEXT_LENGTH = 255;

/** A body that is a JSON object. */
export function readObject(body: Uint8Array): Read<JsonObject> {
  const text = decodeText(body);
  if (text === undefined) return refuse("invalidSyntax", "The body is not text in UTF-8.");
  try {
    const json: unknown = JSON.parse(text);
    return isJsonObject(json) ? { value: json } : refuse("invalidSyntax", "The body is not a JSON object.");
  } catch {
    // Not JSON, which is the answer.
    return refuse("invalidSyntax", "The body is not JSON.");
  }
}

/**
 * The attributes of an object by their plain names. Those of the resource's own schema may also stand under its name. No
 * attribute may occur twice, in another case or in another place: nobody could say which one counts.
 */
export function attributesOf(value: JsonObject, schema: Schema): Read<ReadonlyMap<string, unknown>> {
  const all = Object.entries(value).flatMap(([name, one]): [string, unknown][] => {
    const isOwnSchema = name.toLowerCase() === schema.urn.toLowerCase();
    if (isOwnSchema && isJsonObject(one))
      return Object.entries(one).map(([inner, it]) => [plainName(inner, schema), it]);
    return [[plainName(name, schema), one]];
  });
  const attributes = new Map(all);
  return attributes.size === all.length
    ? { value: attributes }
    : refuse("invalidSyntax", "An attribute stands there twice.");
}

/** Collects attributes one by one; a later one counts. */
export type Collector<Change> = {
  /** Notes the value of an attribute by its plain name. Gives a fault if it cannot be. */
  readonly set: (name: string, value: unknown) => Fault | undefined;
  readonly read: () => Change;
};

/** Collects what changes of a user. */
export function collectUser(): Collector<UserChange> {
  let change: UserChange = {};
  const take = <Value>(read: Read<Value>, use: (value: Value) => UserChange): Fault | undefined => {
    if ("fault" in read) return read.fault;
    change = { ...change, ...use(read.value) };
    return undefined;
  };
  return {
    set: (name, value) => {
      switch (name) {
        case "username":
          return take(readText("userName", value), (userName) => ({ userName }));
        case "externalid":
          return take(readOptional("externalId", value), (externalId) => ({ externalId }));
        case "active":
          return take(readBoolean("active", value), (isActive) => ({ isActive }));
        default:
          return undefined;
      }
    },
    read: () => change,
  };
}

/** Collects what changes of a group, but for its members. */
export function collectGroup(): Collector<GroupChange> {
  let change: GroupChange = {};
  return {
    set: (name, value) => {
      if (name === "displayname") {
        const read = readText("displayName", value);
        if ("fault" in read) return read.fault;
        change = { ...change, displayName: read.value };
      }
      if (name === "externalid") {
        const read = readOptional("externalId", value);
        if ("fault" in read) return read.fault;
        change = { ...change, externalId: read.value };
      }
      return undefined;
    },
    read: () => change,
  };
}

/** The attributes of a body. One that is null is left out. RFC 7643 2.5 */
export function readAttributes<Change>(
  attributes: ReadonlyMap<string, unknown>,
  collector: Collector<Change>,
): Read<Change> {
  for (const [name, one] of attributes) {
    if (one === null && name !== "externalid") continue;
    const fault = collector.set(name, one);
    if (fault !== undefined) return { fault };
  }
  return { value: collector.read() };
}

/** The members that a body lists; undefined if it lists none, which says nothing of them. */
export function readMembers(attributes: ReadonlyMap<string, unknown>): Read<MemberChange | undefined> {
  const members = attributes.get("members");
  if (members === undefined || members === null) return { value: undefined };
  const ids = readMemberIds(members);
  if ("fault" in ids) return ids;
  return { value: { others: "leave", isIn: new Map(ids.value.map((id) => [id, true])) } };
}

/** The ids of members, as a list or as a single one. */
export function readMemberIds(value: unknown): Read<readonly string[]> {
  const ids: string[] = [];
  for (const member of Array.isArray(value) ? value : [value]) {
    const id = isJsonObject(member) ? namedValue(member) : member;
    if (typeof id !== "string")
      return refuse("invalidValue", "Each of members needs a value that is a text.");
    ids.push(id);
  }
  return { value: ids };
}

const namedValue = (member: JsonObject): unknown =>
  Object.entries(member).find(([name]) => name.toLowerCase() === "value")?.[1];

function readText(name: string, value: unknown): Read<string> {
  if (typeof value !== "string" || value.trim() === "")
    return refuse("invalidValue", `${name} must be a text that is not empty.`);
  if (value.length > MAX_TEXT_LENGTH)
    return refuse("invalidValue", `${name} is longer than ${MAX_TEXT_LENGTH} characters.`);
  if (/\p{Cc}/u.test(value) || !value.isWellFormed())
    return refuse("invalidValue", `${name} has a character that cannot be kept.`);
  return { value };
}

/** An empty text is no value. RFC 7643 2.5 */
const readOptional = (name: string, value: unknown): Read<string | null> =>
  value === null || value === "" ? { value: null } : readText(name, value);

/** Microsoft Entra sends "True" and "False". */
function readBoolean(name: string, value: unknown): Read<boolean> {
  if (typeof value === "boolean") return { value };
  const word = typeof value === "string" ? value.toLowerCase() : undefined;
  if (word === "true" || word === "false") return { value: word === "true" };
  return refuse("invalidValue", `${name} must be true or false.`);
}
