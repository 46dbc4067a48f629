/**
 * Role connections that Discord may still have and that no token of Janus can clear. The statements of `sql/role_connection_left`.
 */
import deleteRoleConnectionLeftText from "../../../sql/role_connection_left/delete.sql" with { type: "text" };
import deleteOldLeftText from "../../../sql/role_connection_left/delete_old.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const ROLE_CONNECTION_LEFT_STATEMENTS = {
  deleteRoleConnectionLeft: {
    text: deleteRoleConnectionLeftText,
    gives: "row",
    parameters: { discordUserId: text, operator: text, now: time },
    echoes: "discordUserId",
    row: { discordUserId: text },
  },
  deleteOldRoleConnectionsLeft: {
    text: deleteOldLeftText,
    gives: "row",
    parameters: { leftBefore: time, limit: integer },
    row: { deleted: integer },
  },
} as const satisfies Record<string, Statement>;
