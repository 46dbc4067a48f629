/** What Janus says of its own SCIM: what it supports, which resources it has, and which of their attributes it keeps. RFC 7643 5, 6, 7 */
import type { Resource } from "./resource.ts";
import { SCIM_PATH, URN } from "./resource.ts";

/** The most resources in one answer. */
export const MAX_RESULTS = 100;
/** The largest body of a request. */
export const MAX_BODY_BYTES = 1_048_576;
/** Authentik puts so many operations into one PATCH, although Janus has no bulk operations. */
const OPERATIONS = 1_000;

const SCHEMA = "urn:ietf:params:scim:schemas:core:2.0";

/** What Janus supports. */
export function showServiceProviderConfig(publicUrl: string): Resource {
  return {
    schemas: [`${SCHEMA}:ServiceProviderConfig`],
    documentationUri: "https://www.rfc-editor.org/rfc/rfc7644",
    patch: { supported: true },
    bulk: { supported: false, maxOperations: OPERATIONS, maxPayloadSize: MAX_BODY_BYTES },
    filter: { supported: true, maxResults: MAX_RESULTS },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "The token that SCIM_TOKEN has, in the header Authorization",
        specUri: "https://www.rfc-editor.org/rfc/rfc6750",
        primary: true,
      },
    ],
    meta: {
      resourceType: "ServiceProviderConfig",
      location: `${publicUrl}${SCIM_PATH}/ServiceProviderConfig`,
    },
  };
}

/** The types of resources. */
export function showResourceTypes(publicUrl: string): readonly Resource[] {
  const type = (id: string, endpoint: string, schema: string, description: string): Resource => ({
    schemas: [`${SCHEMA}:ResourceType`],
    id,
    name: id,
    description,
    endpoint,
    schema,
    schemaExtensions: [],
    meta: { resourceType: "ResourceType", location: `${publicUrl}${SCIM_PATH}/ResourceTypes/${id}` },
  });
  return [
    type("User", "/Users", URN.user, "A person who can be a member"),
    type("Group", "/Groups", URN.group, "A group of users"),
  ];
}

/** The schemas, with what Janus keeps. */
export function showSchemas(publicUrl: string): readonly Resource[] {
  const schema = (
    id: string,
    name: string,
    description: string,
    attributes: readonly Resource[],
  ): Resource => ({
    schemas: [`${SCHEMA}:Schema`],
    id,
    name,
    description,
    attributes,
    meta: { resourceType: "Schema", location: `${publicUrl}${SCIM_PATH}/Schemas/${id}` },
  });
  return [
    schema(URN.user, "User", "A person who can be a member", [
      attribute("userName", "string", "What the user is called when signing in", {
        required: true,
        uniqueness: "server",
      }),
      attribute("externalId", "string", "The client's own id of the user", {
        caseExact: true,
        uniqueness: "server",
      }),
      attribute("active", "boolean", "Whether the membership goes on"),
    ]),
    schema(URN.group, "Group", "A group of users", [
      attribute("displayName", "string", "What rules call the group", {
        required: true,
        uniqueness: "server",
      }),
      attribute("externalId", "string", "The client's own id of the group", {
        caseExact: true,
        uniqueness: "server",
      }),
      MEMBERS,
    ]),
  ];
}

function attribute(
  name: string,
  type: "string" | "boolean",
  description: string,
  more: Readonly<Record<string, unknown>> = {},
): Resource {
  const ofText = type === "string" ? { caseExact: false, uniqueness: "none" } : {};
  return {
    name,
    type,
    multiValued: false,
    description,
    required: false,
    mutability: "readWrite",
    returned: "default",
    ...ofText,
    ...more,
  };
}

const MEMBERS: Resource = {
  name: "members",
  type: "complex",
  multiValued: true,
  description: "The users of the group",
  required: false,
  mutability: "readWrite",
  returned: "default",
  subAttributes: [
    {
      ...attribute("value", "string", "The id of a user", { caseExact: true }),
      mutability: "immutable",
    },
    {
      ...attribute("type", "string", "Always User", { canonicalValues: ["User"] }),
      mutability: "immutable",
    },
  ],
};
