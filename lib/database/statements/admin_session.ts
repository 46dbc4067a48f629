/** Sign-ins to the page of administrators. The statements of `sql/admin_session`. */
import * as v from "valibot";
import deleteAdminSessionText from "../../../sql/admin_session/delete.sql" with { type: "text" };
import deleteExpiredAdminSessionsText from "../../../sql/admin_session/delete_expired.sql" with {
  type: "text",
};
import findAdminSessionText from "../../../sql/admin_session/find.sql" with { type: "text" };
import insertAdminSessionText from "../../../sql/admin_session/insert.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, nullableTime, text, time } from "../statement.ts";
import { endCause } from "./link.ts";

/** Parameters and columns as the files have them. */
export const ADMIN_SESSION_STATEMENTS = {
  deleteAdminSession: {
    text: deleteAdminSessionText,
    gives: "nothing",
    parameters: { sessionIdHash: text },
  },
  deleteExpiredAdminSessions: {
    text: deleteExpiredAdminSessionsText,
    gives: "row",
    parameters: { now: time, limit: integer },
    row: { deleted: integer },
  },
  findAdminSession: {
    text: findAdminSessionText,
    gives: "row",
    parameters: { sessionIdHash: text, now: time },
    echoes: "sessionIdHash",
    row: {
      sessionIdHash: text,
      issuer: text,
      subject: text,
      factsSealed: text,
      signedInAt: time,
      expiresAt: time,
      claims: v.nullable(json),
      sources: v.nullable(json),
      claimsSeenAt: nullableTime,
      goneAt: nullableTime,
      endedAt: nullableTime,
      endCause: v.nullable(endCause),
    },
  },
  insertAdminSession: {
    text: insertAdminSessionText,
    gives: "row",
    parameters: {
      sessionIdHash: text,
      issuer: text,
      subject: text,
      providerSessionId: nullableText,
      factsSealed: text,
      expiresAt: time,
      now: time,
    },
    echoes: "sessionIdHash",
    row: { sessionIdHash: text },
  },
} as const satisfies Record<string, Statement>;
