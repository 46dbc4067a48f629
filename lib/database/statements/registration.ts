/**
 * What `janus register` has put at Discord. The statements of `sql/registration`.
 */
import findRegistrationText from "../../../sql/registration/find.sql" with { type: "text" };
import upsertRegistrationText from "../../../sql/registration/upsert.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const REGISTRATION_STATEMENTS = {
  findRegistration: {
    text: findRegistrationText,
    gives: "row",
    parameters: { applicationId: text },
    echoes: "applicationId",
    row: { applicationId: text, recordsHash: text },
  },
  upsertRegistration: {
    text: upsertRegistrationText,
    gives: "nothing",
    parameters: { applicationId: text, recordsHash: text, now: time },
  },
} as const satisfies Record<string, Statement>;
