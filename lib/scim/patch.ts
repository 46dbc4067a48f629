/**
 * PATCH: a list of operations that becomes one change. Each operation only sets what Janus keeps, so the last one counts, and
 * nothing that is stored has to be read first. Clients write operations in forms of their own, which
 * `tests/scim/clients.test.ts` has as their documentation shows them. RFC 7644 3.5.2
 */
import type { JsonObject } from "../text/json_object.ts";
import { isJsonObject } from "../text/json_object.ts";
import type { Collector, GroupChange, MemberChange, UserChange } from "./body.ts";
import { attributesOf, collectGroup, collectUser, readMemberIds } from "./body.ts";
import type { Fault, Read } from "./fault.ts";
import { refuse } from "./fault.ts";
import type { Path } from "./filter.ts";
import { readPath } from "./filter.ts";
import type { Schema } from "./resource.ts";
import { GROUP_SCHEMA, USER_SCHEMA } from "./resource.ts";

const MAX_OPERATIONS = 10_000;

/** One operation. Its path is undefined where its value has the names of attributes. */
type Operation = {
  readonly op: "add" | "replace" | "remove";
  readonly path: Path | undefined;
  readonly value: unknown;
};

/** What changes of a user. */
export function readUserPatch(body: JsonObject): Read<UserChange> {
  const collector = collectUser();
  const fault = applyAll(body, USER_SCHEMA, (operation) => applyToUser(operation, collector));
  return fault === undefined ? { value: collector.read() } : { fault };
}

/** What changes of a group, and of its members. */
export function readGroupPatch(
  body: JsonObject,
): Read<{ readonly group: GroupChange; readonly members: MemberChange | undefined }> {
  const collector = collectGroup();
  const members = collectMembers();
  const fault = applyAll(body, GROUP_SCHEMA, (operation) => applyToGroup(operation, collector, members));
  return fault === undefined ? { value: { group: collector.read(), members: members.read() } } : { fault };
}

function applyAll(
  body: JsonObject,
  schema: Schema,
  apply: (operation: Operation) => Fault | undefined,
): Fault | undefined {
  const message = attributesOf(body, schema);
  if ("fault" in message) return message.fault;
  const operations = message.value.get("operations");
  if (!Array.isArray(operations) || operations.length === 0)
    return refuse("invalidSyntax", "Operations must be a list with an operation.").fault;
  if (operations.length > MAX_OPERATIONS)
    return refuse("tooMany", `There are more than ${MAX_OPERATIONS} operations.`).fault;
  for (const one of operations) {
    const operation = readOperation(one, schema);
    const fault = "fault" in operation ? operation.fault : apply(operation.value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function readOperation(json: unknown, schema: Schema): Read<Operation> {
  if (!isJsonObject(json)) return refuse("invalidSyntax", "An operation must be an object.");
  const parts = attributesOf(json, schema);
  if ("fault" in parts) return parts;
  const [word, text, value] = ["op", "path", "value"].map((name) => parts.value.get(name));
  // Microsoft Entra writes "Add", "Replace" and "Remove".
  const op = typeof word === "string" ? word.toLowerCase() : undefined;
  if (op !== "add" && op !== "replace" && op !== "remove")
    return refuse("invalidSyntax", "op must be add, replace or remove.");
  if (text === undefined || text === null)
    return op === "remove"
      ? refuse("noTarget", "An operation that removes needs a path.")
      : { value: { op, path: undefined, value } };
  const path = readPath(text, schema);
  return "fault" in path ? path : { value: { op, path: path.value, value } };
}

/** The attributes that an operation sets, by their plain names; a removal sets null. */
function settingsOf({ op, path, value }: Operation, schema: Schema): Read<ReadonlyMap<string, unknown>> {
  if (path !== undefined) return { value: new Map([[path.attribute, op === "remove" ? null : value]]) };
  if (!isJsonObject(value))
    return refuse("invalidValue", "An operation without a path needs an object as its value.");
  // Okta sends the id of the group as well.
  return attributesOf(value, schema);
}

function applyToUser(operation: Operation, collector: Collector<UserChange>): Fault | undefined {
  const settings = settingsOf(operation, USER_SCHEMA);
  if ("fault" in settings) return settings.fault;
  for (const [name, value] of settings.value) {
    if (operation.op === "remove" && ["username", "active"].includes(name))
      return refuse("mutability", "userName and active cannot be removed.").fault;
    const fault = collector.set(name, value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function applyToGroup(
  operation: Operation,
  collector: Collector<GroupChange>,
  members: Members,
): Fault | undefined {
  const { op, path, value } = operation;
  if (path?.attribute === "members") return applyToMembers(op, path.member, value, members);
  const settings = settingsOf(operation, GROUP_SCHEMA);
  if ("fault" in settings) return settings.fault;
  for (const [name, one] of settings.value) {
    if (op === "remove" && name === "displayname")
      return refuse("mutability", "displayName cannot be removed.").fault;
    // Okta writes null for members that it does not list.
    const isOfMembers = name === "members" && one !== null;
    const fault = isOfMembers ? applyToMembers(op, undefined, one, members) : collector.set(name, one);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function applyToMembers(
  op: Operation["op"],
  member: string | undefined,
  value: unknown,
  members: Members,
): Fault | undefined {
  if (member !== undefined) {
    if (op !== "remove") return refuse("invalidPath", "members by their value can only be removed.").fault;
    members.remove([member]);
    return undefined;
  }
  if (op === "remove" && (value === undefined || value === null)) {
    members.replace([]);
    return undefined;
  }
  const ids = readMemberIds(value);
  if ("fault" in ids) return ids.fault;
  members[op](ids.value);
  return undefined;
}

/** Collects what changes of the members. */
type Members = ReturnType<typeof collectMembers>;

function collectMembers() {
  let others: MemberChange["others"] = "stay";
  const isIn = new Map<string, boolean>();
  const setAll = (ids: readonly string[], value: boolean): void => {
    for (const id of ids) isIn.set(id, value);
  };
  return {
    add: (ids: readonly string[]) => setAll(ids, true),
    /** Microsoft Entra and Authentik name those who leave in the value. */
    remove: (ids: readonly string[]) => setAll(ids, false),
    replace: (ids: readonly string[]) => {
      others = "leave";
      isIn.clear();
      setAll(ids, true);
    },
    read: (): MemberChange | undefined =>
      others === "stay" && isIn.size === 0 ? undefined : { others, isIn },
  };
}
