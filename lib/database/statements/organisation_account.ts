/**
 * Members' accounts at the provider. The statements of `sql/organisation_account`.
 */
import deleteUnlinkedText from "../../../sql/organisation_account/delete_unlinked.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const ORGANISATION_ACCOUNT_STATEMENTS = {
  deleteUnlinked: {
    text: deleteUnlinkedText,
    gives: "row",
    parameters: { seenBefore: time, limit: integer },
    row: { deleted: integer },
  },
} as const satisfies Record<string, Statement>;
