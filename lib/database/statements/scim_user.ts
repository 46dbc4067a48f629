/** The organisation's users, as a SCIM client tells of them. The statements of `sql/scim_user`. */
import * as v from "valibot";
import countScimUsersText from "../../../sql/scim_user/count.sql" with { type: "text" };
import deleteScimUserText from "../../../sql/scim_user/delete.sql" with { type: "text" };
import findScimUserText from "../../../sql/scim_user/find.sql" with { type: "text" };
import findScimFactsText from "../../../sql/scim_user/find_facts.sql" with { type: "text" };
import insertScimUserText from "../../../sql/scim_user/insert.sql" with { type: "text" };
import listScimUsersText from "../../../sql/scim_user/list.sql" with { type: "text" };
import setScimUserAttributesText from "../../../sql/scim_user/set_attributes.sql" with { type: "text" };
import setScimOthersToldText from "../../../sql/scim_user/set_others_told.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, text, time } from "../statement.ts";

/** What a SCIM client is told of a user. */
const user = {
  scimUserId: text,
  externalId: nullableText,
  userName: text,
  isActive: v.boolean(),
  createdAt: time,
  modifiedAt: time,
};
/** What came of it for the link of the subject; null if there is none. */
const told = {
  discordUserId: nullableText,
  effect: v.nullable(v.picklist(["ended", "restored", "rechecked"])),
};
/** Which attribute of a user is the subject. */
export const attribute = v.picklist(["externalId", "userName"]);

/** Parameters and columns as the files have them. */
export const SCIM_USER_STATEMENTS = {
  countScimUsers: {
    text: countScimUsersText,
    gives: "row",
    parameters: { userNameKey: nullableText, externalId: nullableText },
    row: { count: integer },
  },
  deleteScimUser: {
    text: deleteScimUserText,
    gives: "row",
    parameters: { scimUserId: text, attribute, issuer: text, requestId: text, now: time },
    echoes: "scimUserId",
    row: { scimUserId: text, ...told },
  },
  findScimFacts: {
    text: findScimFactsText,
    gives: "row",
    parameters: { attribute, issuer: text, subject: text, scimSubject: nullableText },
    row: { externalId: nullableText, userName: text, facts: json },
  },
  findScimUser: {
    text: findScimUserText,
    gives: "row",
    parameters: { scimUserId: text },
    echoes: "scimUserId",
    row: user,
  },
  insertScimUser: {
    text: insertScimUserText,
    gives: "row",
    parameters: {
      scimUserId: text,
      externalId: nullableText,
      userName: text,
      userNameKey: text,
      isActive: v.boolean(),
      attribute,
      issuer: text,
      mostUsers: integer,
      requestId: text,
      now: time,
    },
    echoes: "scimUserId",
    row: { scimUserId: text, isCreated: v.boolean(), isFull: v.boolean(), ...told },
  },
  listScimUsers: {
    text: listScimUsersText,
    gives: "rows",
    parameters: { userNameKey: nullableText, externalId: nullableText, skipped: integer, limit: integer },
    row: user,
  },
  setScimUserAttributes: {
    text: setScimUserAttributesText,
    gives: "rows",
    parameters: {
      scimUserId: text,
      hasExternalId: v.boolean(),
      externalId: nullableText,
      userName: nullableText,
      userNameKey: nullableText,
      isActive: v.nullable(v.boolean()),
      attribute,
      issuer: text,
      requestId: text,
      now: time,
    },
    echoes: "scimUserId",
    row: { ...user, isTaken: v.boolean(), isChanged: v.boolean(), ...told },
  },
  setScimOthersTold: {
    text: setScimOthersToldText,
    gives: "rows",
    parameters: {
      scimUserId: text,
      isDeleted: v.boolean(),
      attribute,
      issuer: text,
      requestId: text,
      now: time,
    },
    row: { discordUserId: text, effect: v.picklist(["ended", "restored"]) },
  },
} as const satisfies Record<string, Statement>;
