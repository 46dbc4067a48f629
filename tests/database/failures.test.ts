/**
 * The codes of PostgreSQL: those that load, locks, cancels, stops, disks and standbys cause become
 * database_unavailable, the others stay a fault of the program. And which statements are sent again.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import postgres from "postgres";
import { endsConnection, remedyOf, translate } from "../../lib/database/failures.ts";
import { JanusError } from "../../lib/errors.ts";

type Fields = { readonly code: string; readonly severity?: string; readonly routine?: string };
const failureOf = (fields: Fields): Error =>
  new postgres.PostgresError({
    severity: "ERROR",
    message: "canary",
    ...fields,
  } as unknown as string);
const codeOf = (error: unknown): string => (error instanceof JanusError ? error.code : "internal");

/** PostgreSQL Appendix A: the failures that pass, and the remedy of each. */
const PASSING: readonly (readonly [code: string, remedy: ReturnType<typeof remedyOf>, what: string])[] = [
  ["08000", undefined, "a pooler that has lost its server"],
  ["08003", undefined, "a connection that does not exist"],
  ["08006", undefined, "a connection that broke"],
  ["08007", undefined, "a commit with an unknown outcome"],
  ["08P01", undefined, "a pooler at its limit"],
  ["25006", "elsewhere", "a standby, or a database that was told to read only"],
  ["25P01", "elsewhere", "a pooler that mixed transactions up"],
  ["25P02", "elsewhere", "a failed transaction of another client"],
  ["26000", "again", "a pooler that lost a prepared statement"],
  ["40000", undefined, "a transaction that was rolled back"],
  ["40001", "again", "writers that met, or a standby that replayed"],
  ["40003", undefined, "a statement with an unknown outcome"],
  ["40P01", "again", "a deadlock"],
  ["53000", "later", "too few resources"],
  ["53100", undefined, "a full disk"],
  ["53200", "later", "too little memory"],
  ["53300", "later", "too many connections"],
  ["53400", "later", "a limit of the configuration"],
  ["55006", "later", "an object in use"],
  ["55P03", "later", "a lock that was not free"],
  ["57000", undefined, "an operator"],
  ["57014", "later", "a cancel, or a time limit"],
  ["57P01", undefined, "a stop by an administrator"],
  ["57P02", undefined, "a crash"],
  ["57P03", "later", "a server that starts"],
  ["57P04", undefined, "a database that was dropped"],
  ["57P05", undefined, "a session that was idle for too long"],
  ["58000", undefined, "the operating system"],
  ["58030", undefined, "a disk that does not read"],
  ["58P01", undefined, "a file that is missing"],
  ["72000", "later", "a snapshot that is too old"],
  ["F0000", undefined, "a broken file of the configuration"],
  ["XX000", undefined, "a tuple that others change"],
  ["XX001", undefined, "a page that is broken"],
  ["XX002", undefined, "an index that is broken"],
];

const anyCode = fc.string({
  unit: fc.constantFrom(..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
  minLength: 5,
  maxLength: 5,
});

describe("a database failure", () => {
  test.each(PASSING)("with %s has the remedy %j", (code, remedy) => {
    const failure = failureOf({ code });

    expect(codeOf(translate(failure))).toBe("database_unavailable");
    expect(remedyOf(failure)).toBe(remedy);
  });

  test.each([
    ["28P01", "auth_failed", "refuses the password of this role (28P01)"],
    ["28000", "InitializeSessionUserId", "has no such role, or the role may not log in (28000)"],
    ["28000", "ClientAuthentication", "does not let this role in from here (28000): see pg_hba.conf"],
    ["28000", "auth_failed", "does not let this role in from here (28000): see pg_hba.conf"],
    ["3D000", "InitPostgres", "has no database of this name (3D000)"],
  ])("with %s from %s says which of role, password and name is refused", (code, routine, said) => {
    const failure = translate(failureOf({ code, severity: "FATAL", routine }));

    expect(failure).toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining(said),
    });
  });

  test.each([
    ["54000", "GetNewTransactionId", "database_unavailable"],
    ["54000", "_bt_check_third_page", "internal"],
    ["0A000", "RevalidateCachedQuery", "database_unavailable"],
    ["0A000", "transformStmt", "internal"],
  ])("with %s from %s is %s", (code, routine, expected) => {
    expect(codeOf(translate(failureOf({ code, routine })))).toBe(expected);
  });

  test("is database_unavailable whenever remedyOf() knows a remedy", () => {
    fc.assert(
      fc.property(anyCode, (code) => {
        const failure = failureOf({ code });

        if (remedyOf(failure) !== undefined) expect(codeOf(translate(failure))).toBe("database_unavailable");
      }),
      { numRuns: 5_000, examples: PASSING.map(([code]) => [code]) },
    );
  });

  test("of a statement is the program's fault, and ends no connection", () => {
    const classes = fc.constantFrom("20", "21", "22", "23", "2F", "39", "42", "44", "P0");
    const meant = /^42(501|P01|703|883)$/;

    fc.assert(
      fc.property(classes, anyCode, (start, rest) => {
        const code = start + rest.slice(2);
        const failure = failureOf({ code });

        if (meant.test(code)) return;
        expect(translate(failure)).toBe(failure);
        expect(remedyOf(failure)).toBeUndefined();
        expect(endsConnection(failure)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(["FATAL", "PANIC", undefined])(
    "with severity %s is an outage, and ends the connection",
    (severity) => {
      fc.assert(
        fc.property(anyCode, (code) => {
          const failure = failureOf({ code, severity } as Fields);

          expect(codeOf(translate(failure))).toBe("database_unavailable");
          expect(endsConnection(failure)).toBe(true);
        }),
        { numRuns: 1_000 },
      );
    },
  );

  test("before a connection is made is always database_unavailable", () => {
    fc.assert(
      fc.property(anyCode, fc.constantFrom("tls" as const, "startup" as const), (code, phase) => {
        expect(codeOf(translate(failureOf({ code }), phase))).toBe("database_unavailable");
      }),
      { numRuns: 1_000 },
    );
  });

  test("of class 08 or 25 ends the connection", () => {
    fc.assert(
      fc.property(anyCode, fc.constantFrom("08", "25"), (rest, start) => {
        expect(endsConnection(failureOf({ code: start + rest.slice(2) }))).toBe(true);
      }),
    );
  });
});
