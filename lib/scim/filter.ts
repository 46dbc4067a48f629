/**
 * Filters and paths, as far as Janus has attributes for them: `attribute eq "value"`, and in a PATCH an attribute, or members
 * by their value. RFC 7644 3.4.2.2, 3.5.2
 */
import type { Read } from "./fault.ts";
import { refuse } from "./fault.ts";
import { URN } from "./resource.ts";

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
export function readFilter(text: string, attributes: readonly string[]): Read<Filter> {
  if (text.length > MAX_FILTER_LENGTH) return refuse("invalidFilter", "The filter is too long.");
  const known = attributes.map((name) => `${name} eq "…"`).join(", ");
  const [, name, compared] = EQUALS.exec(text) ?? [];
  if (name === undefined || compared === undefined)
    return refuse("invalidFilter", `The filter is not one of ${known}.`);
  const attribute = attributes.find((one) => one.toLowerCase() === plainName(name));
  if (attribute === undefined) return refuse("invalidFilter", `The filter is not one of ${known}.`);
  const value = BARE.test(compared) ? compared : readText(compared);
  if (value === undefined)
    return refuse("invalidFilter", "The value of the filter must be a text in quotes.");
  // PostgreSQL takes no such text, and no resource has one.
  if (value.includes("\u0000"))
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

/** The name of an attribute in lower case, without the schema of users or groups in front. RFC 7644 3.10 */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  const schema = [URN.user, URN.group].find((urn) => lower.startsWith(`${urn.toLowerCase()}:`));
  return schema === undefined ? lower : lower.slice(schema.length + 1);
}

/** What a path of a PATCH names: an attribute, in lower case, and of members perhaps one. */
export type Path = { readonly attribute: string; readonly member: string | undefined };

const MAX_PATH_LENGTH = 1_000;
const NAME = /^[A-Za-z$][\w$.:/-]*$/;
const FILTERED = /^([A-Za-z$][\w$.:/-]*)\s*\[(.*)\](?:\.([A-Za-z$][\w$-]*))?$/s;

/** Reads a path. */
export function readPath(path: unknown): Read<Path> {
  if (typeof path !== "string" || path.length > MAX_PATH_LENGTH)
    return refuse("invalidPath", "path must be a text.");
  if (NAME.test(path)) return { value: { attribute: plainName(path), member: undefined } };
  const [, name = "", condition = "", part = "value"] = FILTERED.exec(path) ?? [];
  if (name === "")
    return refuse("invalidPath", "path is not an attribute, nor one with a condition in brackets.");
  const attribute = plainName(name);
  if (attribute !== "members") return { value: { attribute, member: undefined } };
  const filter = readFilter(condition, ["value"]);
  if ("fault" in filter) return refuse("invalidPath", 'path is not members[value eq "…"].');
  // Such as the name of a member, of which Janus keeps nothing: whoever loses it is a member still.
  if (part.toLowerCase() !== "value") return { value: { attribute: `members.${part}`, member: undefined } };
  return { value: { attribute, member: filter.value.value } };
}
