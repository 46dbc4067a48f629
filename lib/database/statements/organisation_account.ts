/**
 * Members' accounts at the provider. The statements of `sql/organisation_account`.
 */
import deleteUnlinkedText from "../../../sql/organisation_account/delete_unlinked.sql" with { type: "text" };
import findNamesText from "../../../sql/organisation_account/find_names.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const ORGANISATION_ACCOUNT_STATEMENTS = {
  deleteUnlinked: {
    text: deleteUnlinkedText,
    gives: "row",
    parameters: { seenBefore: time, limit: integer },
    row: { deleted: integer },
  },
  findNames: {
    text: findNamesText,
    gives: "row",
    parameters: { discordUserId: text },
    echoes: "discordUserId",
    row: { discordUserId: text, names: json },
  },
} as const satisfies Record<string, Statement>;
