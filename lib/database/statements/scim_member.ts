/** Who is in which group, as a SCIM client tells of them. The statements of `sql/scim_member`. */
import deleteScimMembersText from "../../../sql/scim_member/delete.sql" with { type: "text" };
import insertScimMembersText from "../../../sql/scim_member/insert.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableText, text, time } from "../statement.ts";
import { attribute } from "./scim_user.ts";

/** Which users, of which group. */
const parameters = {
  scimGroupId: text,
  scimUserIds: text,
  attribute,
  issuer: text,
  requestId: text,
  now: time,
};
/** How many are others than before, and whose links became due. The Discord account is there where it is one. */
const row = { scimGroupId: text, members: integer, rechecked: integer, discordUserId: nullableText };

/** Parameters and columns as the files have them. */
export const SCIM_MEMBER_STATEMENTS = {
  deleteScimMembers: { text: deleteScimMembersText, gives: "row", parameters, echoes: "scimGroupId", row },
  insertScimMembers: { text: insertScimMembersText, gives: "row", parameters, echoes: "scimGroupId", row },
} as const satisfies Record<string, Statement>;
