/**
 * SCIM 2.0: what an organisation's identity provider tells of its users and groups. This room owns what is kept of that, the
 * protocol, and what follows for the members.
 *
 *     /scim/v2/Users, /scim/v2/Groups            handlers.ts → users.ts, groups.ts
 *     /ServiceProviderConfig and the like        handlers.ts → discovery.ts
 *     what a request says                        body.ts, patch.ts, filter.ts; fault.ts where it is wrong
 *     what the rules read, and who is gone       facts.ts
 *
 * A change makes the links of its members due for a check, which `sync/` carries out. Of a user Janus keeps who it is and
 * whether it is active, of a group its name and its members. It accepts all other attributes, and keeps none of them. This
 * file says how both look to a client. RFC 7643, RFC 7644, docs/decisions/0047
 */

/** A user as it is kept. */
export type ScimUser = {
  readonly scimUserId: string;
  readonly externalId: string | null;
  readonly userName: string;
  readonly isActive: boolean;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
};

/** A group as it is kept. The ids of its members are undefined where nobody asked for them. */
export type ScimGroup = {
  readonly scimGroupId: string;
  readonly externalId: string | null;
  readonly displayName: string;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  readonly memberIds: readonly string[] | undefined;
};

/** A resource as a client reads it. */
export type Resource = Readonly<Record<string, unknown>>;

/** The schemas of messages and of resources. RFC 7643 10, RFC 7644 8.2 */
export const URN = {
  user: "urn:ietf:params:scim:schemas:core:2.0:User",
  group: "urn:ietf:params:scim:schemas:core:2.0:Group",
  list: "urn:ietf:params:scim:api:messages:2.0:ListResponse",
  error: "urn:ietf:params:scim:api:messages:2.0:Error",
} as const;

/** A schema of resources. */
export type Schema = {
  readonly urn: string;
  /** What Janus keeps of a resource and has one value, in lower case. */
  readonly single: readonly string[];
};
/** The schema of users. */
export const USER_SCHEMA: Schema = { urn: URN.user, single: ["username", "externalid", "active"] };
/** The schema of groups. */
export const GROUP_SCHEMA: Schema = { urn: URN.group, single: ["displayname", "externalid"] };

/** Where the endpoints are, below PUBLIC_URL. */
export const SCIM_PATH = "/scim/v2";

/** A user as a client reads it. */
export function showUser(publicUrl: string, user: ScimUser): Resource {
  const { scimUserId: id, externalId, userName, isActive: active } = user;
  const location = `${publicUrl}${SCIM_PATH}/Users/${id}`;
  const meta = { resourceType: "User", ...timesOf(user), location };
  return { schemas: [URN.user], id, ...optional({ externalId }), userName, active, meta };
}

/** A group as a client reads it. */
export function showGroup(publicUrl: string, group: ScimGroup): Resource {
  const { scimGroupId: id, externalId, displayName, memberIds } = group;
  const location = `${publicUrl}${SCIM_PATH}/Groups/${id}`;
  const meta = { resourceType: "Group", ...timesOf(group), location };
  const members = memberIds?.map((value) => ({ value, type: "User" }));
  return {
    schemas: [URN.group],
    id,
    ...optional({ externalId }),
    displayName,
    ...(members === undefined ? {} : { members }),
    meta,
  };
}

const timesOf = ({ createdAt, modifiedAt }: Pick<ScimUser, "createdAt" | "modifiedAt">) => ({
  created: createdAt.toISOString(),
  lastModified: modifiedAt.toISOString(),
});

/** An attribute without a value is left out. RFC 7643 2.5 */
const optional = (attributes: Readonly<Record<string, string | null>>): Resource =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null));

/** Which attributes a client asks for, or does without, in lower case. RFC 7644 3.9 */
export type Wanted = { readonly only: readonly string[] | undefined; readonly without: readonly string[] };

/** Whether an attribute is wanted. */
export function isWanted({ only, without }: Wanted, attribute: string): boolean {
  const name = attribute.toLowerCase();
  return only === undefined ? !without.includes(name) : only.includes(name);
}

/** What every resource has, whatever is asked for. RFC 7643 3.1, 7 */
const ALWAYS = ["schemas", "id"];

/** A resource with what is wanted of it. */
export function select(resource: Resource, wanted: Wanted): Resource {
  const kept = Object.entries(resource).filter(([name]) => ALWAYS.includes(name) || isWanted(wanted, name));
  return Object.fromEntries(kept);
}

/** A page of resources. `total` is how many there are on all pages. RFC 7644 3.4.2 */
export const showList = (resources: readonly Resource[], total: number, startIndex: number): Resource => ({
  schemas: [URN.list],
  totalResults: total,
  itemsPerPage: resources.length,
  startIndex,
  Resources: resources,
});
