/** The routes of SCIM, each with the use case that it calls. What all of them have in common is in `route/handlers.ts`. */
import type { GroupChange, MemberChange, UserChange } from "./body.ts";
import { attributesOf, collectGroup, collectUser, readAttributes, readMembers, readObject } from "./body.ts";
import { showResourceTypes, showSchemas, showServiceProviderConfig } from "./discovery.ts";
import type { Read } from "./fault.ts";
import { UNKNOWN_RESOURCE } from "./fault.ts";
import { isOfManager } from "./filter.ts";
import { changeGroup, createGroup, deleteGroup, findGroup, GROUP_FILTERS, listGroups } from "./groups.ts";
import { readGroupPatch, readUserPatch } from "./patch.ts";
import { readPage, readWanted } from "./query.ts";
import type { Resource, Schema, ScimGroup, ScimUser } from "./resource.ts";
import {
  GROUP_SCHEMA,
  isWanted,
  SCIM_PATH,
  select,
  showGroup,
  showList,
  showUser,
  USER_SCHEMA,
} from "./resource.ts";
import type { Answer, Asked } from "./route/handlers.ts";
import { createRoute } from "./route/handlers.ts";
import { changeUser, createUser, deleteUser, findUser, listUsers, USER_FILTERS } from "./users.ts";

const ok = (resource: Resource): Read<Answer> => ({ value: { status: 200, resource } });
const EMPTY: Read<Answer> = { value: { status: 204 } };

/** GET /ServiceProviderConfig. RFC 7644 4 */
export const showScimConfig = createRoute("reads", ({ deps, query }) =>
  withoutFilter(query, () => ok(showServiceProviderConfig(deps.config.publicUrl))),
);

/** GET /ResourceTypes. */
export const listScimResourceTypes = createRoute("reads", ({ deps, query }) =>
  withoutFilter(query, () => listAll(showResourceTypes(deps.config.publicUrl))),
);

/** GET /ResourceTypes/:id. */
export const findScimResourceType = createRoute("reads", ({ deps, id }) =>
  findOne(showResourceTypes(deps.config.publicUrl), id),
);

/** GET /Schemas. */
export const listScimSchemas = createRoute("reads", ({ deps, query }) =>
  withoutFilter(query, () => listAll(showSchemas(deps.config.publicUrl))),
);

/** GET /Schemas/:id. */
export const findScimSchema = createRoute("reads", ({ deps, id }) =>
  findOne(showSchemas(deps.config.publicUrl), id),
);

/** /Me, /Bulk and /.search. RFC 7644 3.4.3, 3.7, 3.11 */
export const refuseScim = createRoute("reads", () => ({
  fault: { status: 501, detail: "Janus does not support this." },
}));

/** A filter has no meaning there. RFC 7644 4 */
const withoutFilter = (query: URLSearchParams, answer: () => Read<Answer>): Read<Answer> =>
  query.has("filter") ? { fault: { status: 403, detail: "This takes no filter." } } : answer();

const listAll = (resources: readonly Resource[]): Read<Answer> =>
  ok(showList(resources, resources.length, 1));

function findOne(resources: readonly Resource[], id: string): Read<Answer> {
  const found = resources.find((one) => one.id === id);
  return found === undefined ? UNKNOWN_RESOURCE : ok(found);
}

/** POST /Users. RFC 7644 3.3 */
export const createScimUser = createRoute("writes", async (asked) => {
  const change = readUser(asked);
  if ("fault" in change) return change;
  const made = await createUser(asked.deps, change.value);
  return created(asked, "Users", made, (user) => userAnswer(asked, user));
});

/** GET /Users/:id. RFC 7644 3.4.1 */
export const findScimUser = createRoute("reads", async (asked) =>
  shown(await findUser(asked.deps, asked.id), (user) => userAnswer(asked, user)),
);

/** PUT /Users/:id. RFC 7644 3.5.1 */
export const replaceScimUser = createRoute("writes", (asked) => writeUser(asked, readUser(asked)));

/** PATCH /Users/:id. RFC 7644 3.5.2 */
export const patchScimUser = createRoute("writes", (asked) => {
  const body = readObject(asked.body);
  return writeUser(asked, "fault" in body ? body : readUserPatch(body.value));
});

/** DELETE /Users/:id. RFC 7644 3.6 */
export const deleteScimUser = createRoute("writes", async ({ deps, id }) => {
  const deleted = await deleteUser(deps, id);
  return "fault" in deleted ? deleted : EMPTY;
});

/** GET /Users. RFC 7644 3.4.2 */
export const listScimUsers = createRoute("reads", async (asked) => {
  if (isOfManager(asked.query.get("filter") ?? "")) return ok(showList([], 0, 1));
  const page = readPage(asked.query, USER_FILTERS, USER_SCHEMA);
  if ("fault" in page) return page;
  const { total, users } = await listUsers(asked.deps, page.value);
  return ok(
    showList(
      users.map((user) => userAnswer(asked, user)),
      total,
      page.value.skipped + 1,
    ),
  );
});

/** POST /Groups. RFC 7644 3.3 */
export const createScimGroup = createRoute("writes", async (asked) => {
  const read = readGroup(asked);
  if ("fault" in read) return read;
  const { group, members } = read.value;
  const made = await createGroup(asked.deps, group, members);
  return created(asked, "Groups", made, (one) => groupAnswer(asked, one));
});

/** GET /Groups/:id. RFC 7644 3.4.1 */
export const findScimGroup = createRoute("reads", readOneGroup);

/** PUT /Groups/:id. RFC 7644 3.5.1 */
export const replaceScimGroup = createRoute("writes", async (asked) => {
  const read = readGroup(asked);
  if ("fault" in read) return read;
  const changed = await changeGroup(asked.deps, asked.id, read.value.group, read.value.members);
  return "fault" in changed ? changed : readOneGroup(asked);
});

/** PATCH /Groups/:id. The answer is empty unless attributes are asked for: it could have thousands of members. RFC 7644 3.5.2 */
export const patchScimGroup = createRoute("writes", async (asked) => {
  const { deps, id } = asked;
  const object = readObject(asked.body);
  const read = "fault" in object ? object : readGroupPatch(object.value);
  if ("fault" in read) return read;
  const changed = await changeGroup(deps, id, read.value.group, read.value.members);
  if ("fault" in changed) return changed;
  return asked.query.has("attributes") ? readOneGroup(asked) : EMPTY;
});

/** DELETE /Groups/:id. RFC 7644 3.6 */
export const deleteScimGroup = createRoute("writes", async ({ deps, id }) => {
  const deleted = await deleteGroup(deps, id);
  return "fault" in deleted ? deleted : EMPTY;
});

/** With members a page is short, since each group may have every member of the organisation. */
const MAX_GROUPS_WITH_MEMBERS = 10;

/** GET /Groups. RFC 7644 3.4.2 */
export const listScimGroups = createRoute("reads", async (asked) => {
  const withMembers = isWanted(readWanted(asked.query, GROUP_SCHEMA), "members");
  const most = withMembers ? MAX_GROUPS_WITH_MEMBERS : undefined;
  const page = readPage(asked.query, GROUP_FILTERS, GROUP_SCHEMA, most);
  if ("fault" in page) return page;
  const { total, groups } = await listGroups(asked.deps, page.value, withMembers);
  return ok(
    showList(
      groups.map((group) => groupAnswer(asked, group)),
      total,
      page.value.skipped + 1,
    ),
  );
});

function readUser({ body }: Asked): Read<UserChange> {
  const attributes = readBody(body, USER_SCHEMA);
  return "fault" in attributes ? attributes : readAttributes(attributes.value, collectUser());
}

function readGroup({
  body,
}: Asked): Read<{ readonly group: GroupChange; readonly members: MemberChange | undefined }> {
  const attributes = readBody(body, GROUP_SCHEMA);
  if ("fault" in attributes) return attributes;
  const group = readAttributes(attributes.value, collectGroup());
  if ("fault" in group) return group;
  const members = readMembers(attributes.value);
  return "fault" in members ? members : { value: { group: group.value, members: members.value } };
}

function readBody(body: Uint8Array, schema: Schema): Read<ReadonlyMap<string, unknown>> {
  const object = readObject(body);
  return "fault" in object ? object : attributesOf(object.value, schema);
}

async function writeUser(asked: Asked, change: Read<UserChange>): Promise<Read<Answer>> {
  if ("fault" in change) return change;
  return shown(await changeUser(asked.deps, asked.id, change.value), (user) => userAnswer(asked, user));
}

async function readOneGroup(asked: Asked): Promise<Read<Answer>> {
  const withMembers = isWanted(readWanted(asked.query, GROUP_SCHEMA), "members");
  return shown(await findGroup(asked.deps, asked.id, withMembers), (group) => groupAnswer(asked, group));
}

const shown = <Value>(read: Read<Value>, show: (value: Value) => Resource): Read<Answer> =>
  "fault" in read ? read : ok(show(read.value));

/** The answer to a POST says where the new resource is. */
function created<Value>(
  asked: Asked,
  endpoint: "Users" | "Groups",
  read: Read<Value>,
  show: (value: Value) => Resource,
): Read<Answer> {
  if ("fault" in read) return read;
  const resource = show(read.value);
  const location = `${asked.deps.config.publicUrl}${SCIM_PATH}/${endpoint}/${resource.id}`;
  return { value: { status: 201, resource, location } };
}

const userAnswer = ({ deps, query }: Asked, user: ScimUser): Resource =>
  select(showUser(deps.config.publicUrl, user), readWanted(query, USER_SCHEMA));

const groupAnswer = ({ deps, query }: Asked, group: ScimGroup): Resource =>
  select(showGroup(deps.config.publicUrl, group), readWanted(query, GROUP_SCHEMA));
