/** The organisation's groups, as a SCIM client tells of them. The statements of `sql/scim_group`. */
import * as v from "valibot";
import countScimGroupsText from "../../../sql/scim_group/count.sql" with { type: "text" };
import findScimGroupText from "../../../sql/scim_group/find.sql" with { type: "text" };
import insertScimGroupText from "../../../sql/scim_group/insert.sql" with { type: "text" };
import listScimGroupsText from "../../../sql/scim_group/list.sql" with { type: "text" };
import listUnsettledGroupsText from "../../../sql/scim_group/list_unsettled.sql" with { type: "text" };
import setScimGroupAttributesText from "../../../sql/scim_group/set_attributes.sql" with { type: "text" };
import setScimGroupDeletedText from "../../../sql/scim_group/set_deleted.sql" with { type: "text" };
import setScimGroupKnownText from "../../../sql/scim_group/set_known.sql" with { type: "text" };
import setScimGroupSettledText from "../../../sql/scim_group/set_settled.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableText, text, time } from "../statement.ts";
import { attribute } from "./scim_user.ts";

/** What a SCIM client is told of a group. `memberIds` has commas between the ids; null if there are none. */
const group = {
  scimGroupId: text,
  externalId: nullableText,
  displayName: text,
  createdAt: time,
  modifiedAt: time,
  memberIds: nullableText,
};

/** Parameters and columns as the files have them. */
export const SCIM_GROUP_STATEMENTS = {
  countScimGroups: {
    text: countScimGroupsText,
    gives: "row",
    parameters: { displayNameKey: nullableText, externalId: nullableText },
    row: { count: integer },
  },
  findScimGroup: {
    text: findScimGroupText,
    gives: "row",
    parameters: { scimGroupId: text, withMembers: v.boolean() },
    echoes: "scimGroupId",
    row: group,
  },
  insertScimGroup: {
    text: insertScimGroupText,
    gives: "row",
    parameters: {
      scimGroupId: text,
      externalId: nullableText,
      displayName: text,
      displayNameKey: text,
      mostGroups: integer,
      now: time,
    },
    echoes: "scimGroupId",
    row: { scimGroupId: text, isBegun: v.boolean(), isFull: v.boolean() },
  },
  listScimGroups: {
    text: listScimGroupsText,
    gives: "rows",
    parameters: {
      displayNameKey: nullableText,
      displayName: nullableText,
      externalId: nullableText,
      withMembers: v.boolean(),
      skipped: integer,
      limit: integer,
    },
    row: group,
  },
  listUnsettledGroups: {
    text: listUnsettledGroupsText,
    gives: "rows",
    parameters: { begunBefore: time, limit: integer },
    row: { scimGroupId: text },
  },
  setScimGroupAttributes: {
    text: setScimGroupAttributesText,
    gives: "row",
    parameters: {
      scimGroupId: text,
      hasExternalId: v.boolean(),
      externalId: nullableText,
      displayName: nullableText,
      displayNameKey: nullableText,
      now: time,
    },
    echoes: "scimGroupId",
    row: { scimGroupId: text, isTaken: v.boolean(), isRenamed: v.boolean() },
  },
  setScimGroupDeleted: {
    text: setScimGroupDeletedText,
    gives: "row",
    parameters: { scimGroupId: text, now: time },
    echoes: "scimGroupId",
    row: { scimGroupId: text },
  },
  setScimGroupKnown: {
    text: setScimGroupKnownText,
    gives: "row",
    parameters: { scimGroupId: text, now: time },
    echoes: "scimGroupId",
    row: { scimGroupId: text, isTaken: v.boolean() },
  },
  setScimGroupSettled: {
    text: setScimGroupSettledText,
    gives: "row",
    parameters: {
      scimGroupId: text,
      attribute,
      issuer: text,
      requestId: nullableText,
      limit: integer,
      now: time,
    },
    echoes: "scimGroupId",
    row: { scimGroupId: text, isSettled: v.boolean(), rechecked: integer },
  },
} as const satisfies Record<string, Statement>;
