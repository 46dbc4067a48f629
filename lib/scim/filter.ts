/**
 * Filters and paths, as far as Janus has attributes for them: `attribute eq "value"`, and in a PATCH an attribute, or members
 * by their value. RFC 7644 3.4.2.2, 3.5.2
 */
import type { Read } from "./fault.ts";
import { refuse } from "./fault.ts";
import type { Schema } from "./resource.ts";

/** One comparison. The name of the attribute is in lower case, and without the schema in front. */
export type Filter = { readonly attribute: string; readonly value: string };

const MAX_FILTER_LENGTH = 1_000;
const EQUALS = /^\s*([A-Za-z][\w$.:-]*)\s+eq\s+(\S.*?)\s*$/i;
/** As in a query of Microsoft's documentation: `externalId eq jyoung`. */
const BARE = /^[^\s"()[\]]+$/;

/** Microsoft Entra asks so whether a user has a manager, before it sets one. */
const MANAGER = /^\s*id\s+eq\s+\S+\s+and\s+manager\s+eq\s+\S+\s*$/i;

/** Whether a filter asks for users by their manager. Janus keeps none, so no user fits. */
export const isOfManager = (text: string): boolean => text.length <= MAX_FILTER_LENGTH && MANAGER.test(text);

/** Reads a filter. */
export function readFilter(text: string, attributes: readonly string[], schema: Schema): Read<Filter> {
  if (text.length > MAX_FILTER_LENGTH) return refuse("invalidFilter", "The filter is too long.");
  const known = attributes.map((name) => `${name} eq "…"`).join(", ");
  const [, name, compared] = EQUALS.exec(text) ?? [];
  if (name === undefined || compared === undefined)
    return refuse("invalidFilter", `The filter is not one of ${known}.`);
  const attribute = attributes.find((one) => one.toLowerCase() === plainName(name, schema));
  if (attribute === undefined) return refuse("invalidFilter", `The filter is not one of ${known}.`);
  const value = BARE.test(compared) ? compared : readText(compared);
  if (value === undefined)
    return refuse("invalidFilter", "The value of the filter must be a text in quotes.");
  // PostgreSQL takes no such text, or makes another one of it, and no resource has one.
  if (value.includes("\u0000") || !value.isWellFormed())
    return refuse("invalidFilter", "The value of the filter has a character that cannot be kept.");
  return { value: { attribute, value } };
}

/** A text as JSON writes it. RFC 7644 3.4.2.2 */
function readText(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : undefined;
  } catch {
    // Not JSON, which is the answer.
    return undefined;
  }
}

/** The name of an attribute in lower case, without the schema of its resource in front. RFC 7644 3.10 */
export function plainName(name: string, { urn }: Schema): string {
  const lower = name.toLowerCase();
  return lower.startsWith(`${urn.toLowerCase()}:`) ? lower.slice(urn.length + 1) : lower;
}

/** What a path of a PATCH names: an attribute, in lower case, and of members perhaps one. */
export type Path = { readonly attribute: string; readonly member: string | undefined };

const MAX_PATH_LENGTH = 1_000;
const NAME = /^[A-Za-z$][\w$.:/-]*$/;
const FILTERED = /^([A-Za-z$][\w$.:/-]*)\s*\[(.*)\](?:\.([A-Za-z$][\w$-]*))?$/s;

/** What only Janus gives. */
const READ_ONLY = ["id", "meta", "schemas"];

/** Reads a path; undefined for the whole resource, which the path of its schema names. */
export function readPath(path: unknown, schema: Schema): Read<Path | undefined> {
  if (typeof path !== "string" || path.length > MAX_PATH_LENGTH)
    return refuse("invalidPath", "path must be a text.");
  if (path.toLowerCase() === schema.urn.toLowerCase()) return { value: undefined };
  const [, name = "", condition, part = "value"] = NAME.test(path) ? ["", path] : (FILTERED.exec(path) ?? []);
  if (name === "")
    return refuse("invalidPath", "path is not an attribute, nor one with a condition in brackets.");
  const attribute = plainName(name, schema);
  const [whole = ""] = attribute.split(".");
  if (READ_ONLY.includes(whole))
    return refuse("mutability", `${whole} is given by Janus, and cannot be changed.`);
  const isPart = attribute !== whole || condition !== undefined;
  if (isPart && schema.single.includes(whole))
    return refuse("invalidPath", "path asks for a part of an attribute that has one value.");
  if (attribute === "members.value")
    return refuse("invalidPath", 'members are named by members[value eq "…"], or in the value.');
  if (attribute !== "members" || condition === undefined) return { value: { attribute, member: undefined } };
  const filter = readFilter(condition, ["value"], schema);
  if ("fault" in filter) return refuse("invalidPath", 'path is not members[value eq "…"].');
  // Such as the name of a member, of which Janus keeps nothing: whoever loses it is a member still.
  if (part.toLowerCase() !== "value") return { value: { attribute: `members.${part}`, member: undefined } };
  return { value: { attribute, member: filter.value.value } };
}
