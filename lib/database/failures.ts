/**
 * What a failure of the database means: "not now" for a member, what to do for the operator, and whether the
 * connection that it came over can be used again. PostgreSQL Appendix A has the codes (SQLSTATE).
 */
import postgres from "postgres";
import { databaseNotMigrated, databaseUnavailable, JanusError } from "../errors.ts";

/** The network, resources, a stop, or a read-only server: no statement can be carried out. */
const UNREACHABLE =
  /^(08|25|53|57P|58|CONNECT|ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT|EPIPE)/;
/** A time limit, a lock, a conflict of writers, or somebody cancelled it: a statement was not carried out. */
const GIVEN_UP = /^(40|55006|55P03|57|72)/;
/** Internal errors of the server, such as a page that it cannot read. */
const BROKEN = /^(F0|XX)/;
/** Where 54000, which is otherwise the statement's fault, means that no transaction number is left. */
const OUT_OF_NUMBERS = /^GetNew(Transaction|MultiXact)Id$/;
/** Wrong role, password or database: the operator must change DATABASE_URL. */
const REFUSED = /^(28|3D)/;
/** Where 28000 means that the server does not know the role, or does not let it log in. Elsewhere pg_hba.conf says no. */
const UNKNOWN_ROLE = "InitializeSessionUserId";
/** The role is right, and may not do what it must: the operator must grant it. */
const NO_RIGHT = /^42501$/;
/** A setting in DATABASE_URL that the server does not know, or not with this value. */
const NO_SETTING = /^(42704|22023)$/;
/** No schema of the search path is there, or may be used. */
const NO_SCHEMA = /^3F000$/;
const NOT_MIGRATED = /^(42P01|42703|42883)$/;
/** A certificate that is not trusted, or not for this host, or not now. OpenSSL's names, and Node's. */
const CERTIFICATE =
  /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|CRL_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/;
const NO_TLS = /^(ERR_SSL_|ERR_TLS_|ERR_BORINGSSL|EPROTO)/;
/** Two statements met, and this one has done nothing: the same again helps. */
const CONFLICT = /^(40001|40P01)$/;
/** A lock, a cancel, too little memory or too many connections: it may have passed in a moment. */
const IN_THE_WAY = /^(53[0234]|55006|55P03|57014|57P03|72)/;
/** The connection is in a transaction or read-only: another connection may help. */
const WRONG_STATE = /^25/;
/** After these a connection is not used again, although the server has not ended it. */
const UNUSABLE = /^(08|25)/;
const READ_ONLY = "25006";
const DISK_FULL = "53100";
const STATEMENT_LOST = "26000";

/** Whether a cause of database_unavailable is a word that no waiting changes. */
export function isRefusal(cause: unknown): boolean {
  const code = codeOf(cause);
  return (
    REFUSED.test(code) ||
    NO_RIGHT.test(code) ||
    NO_SCHEMA.test(code) ||
    CERTIFICATE.test(code) ||
    (isFatal(cause) && NO_SETTING.test(code))
  );
}

/** True for an error of two statements that wrote the same unique key. PostgreSQL Appendix A, 23505 */
export function isCollision(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "23505";
}

/** What may help a statement that has done nothing: sending it again at once, after a pause, or over another connection. */
export type Remedy = "again" | "later" | "elsewhere";

/**
 * What may help a statement that the server did not carry out; undefined if nothing does, or if it may have been carried
 * out. The driver sends a prepared statement a second time by itself. If that fails too, it throws the first failure.
 */
export function remedyOf(error: unknown): Remedy | undefined {
  if (!(error instanceof postgres.PostgresError)) return undefined;
  if (WRONG_STATE.test(error.code)) return "elsewhere";
  if (IN_THE_WAY.test(error.code)) return "later";
  return isMet(error) ? "again" : undefined;
}

/** True where another statement was in the way, or what the connection had prepared was lost or stale. */
function isMet(error: unknown): boolean {
  if (!(error instanceof postgres.PostgresError)) return false;
  return CONFLICT.test(error.code) || isStatementLost(error) || error.routine === "RevalidateCachedQuery";
}

/** True if a server is read-only: a standby, or a primary with `default_transaction_read_only`. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === READ_ONLY;
}

/** True if the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === DISK_FULL;
}

/** True where a server said so, or a pooler before it: somebody is there. */
export const isAnswer = (error: unknown): boolean => error instanceof postgres.PostgresError;

/** True where a server did not take a connection in time: whether it will, nobody knows. */
export const isConnectTimeout = (error: unknown): boolean => codeOf(error) === "CONNECT_TIMEOUT";

/** True if the driver gave a connection up, for example because the server is not what `target_session_attrs` asks for. */
export const isDestroyed = (error: unknown): boolean => codeOf(error) === "CONNECTION_DESTROYED";

/** True where a pooler gave the statement to a server that has not prepared it. */
export function isStatementLost(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === STATEMENT_LOST;
}

/**
 * True if the connection cannot or must not be used again: the failure is no answer to the statement, or an answer that
 * ends the connection or says that it is unusable.
 */
export function endsConnection(error: unknown): boolean {
  return !(error instanceof postgres.PostgresError) || isFatal(error) || UNUSABLE.test(error.code);
}

/**
 * True where a server, or a pooler before it, does not take the settings that a connection begins with. A pooler that is
 * full has the same code as one that takes none: there the message decides, which poolers do not translate.
 */
export function refusesSettings(error: unknown): boolean {
  if (!(error instanceof Error) || !isFatal(error)) return false;
  const code = codeOf(error);
  return /^(0A000|42704|22023)$/.test(code) || (code === "08P01" && /parameter|option/i.test(error.message));
}

/**
 * True where no connection was made, or it is lost. PostgreSQL says so in a field that is never translated; an error
 * without that field is from a pooler, which ends the connection.
 */
function isFatal(error: unknown): boolean {
  if (!(error instanceof postgres.PostgresError)) return false;
  const severity: string | undefined = error.severity;
  return severity === undefined || severity === "FATAL" || severity === "PANIC";
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

/** How far a connection had come: TLS begins, the server has not said a word of itself, or it has. */
type Phase = "tls" | "startup" | "connected";

/** What the driver threw, as the program's own error where it has one. Without a connection it is always "not now". */
export function translate(error: unknown, phase: Phase = "connected"): unknown {
  if (error instanceof JanusError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  // Its own is the name of its class, which a binary shortens.
  if (error instanceof postgres.PostgresError) error.name = "PostgresError";
  const reason = explain(error, code, phase);
  if (reason !== undefined) return databaseUnavailable(reason, error);
  if (NOT_MIGRATED.test(code))
    return databaseNotMigrated(`the database lacks what the program needs (${code})`, error);
  return error;
}

/** Why the database cannot be used now, and what to do; undefined for an error of the statement. */
function explain(error: Error, code: string, phase: Phase): string | undefined {
  if (CERTIFICATE.test(code))
    return `the certificate of the database is not accepted (${code}): see sslmode and sslrootcert in DATABASE_URL`;
  if (NO_TLS.test(code) || (phase === "tls" && /^(CONNECTION_CLOSED|ECONNRESET)$/.test(code)))
    return `the database breaks off where TLS begins (${code}): a server without TLS does so; see sslmode in DATABASE_URL`;
  if (REFUSED.test(code)) return explainRefusal(error, code);
  if (NO_RIGHT.test(code)) return explainRight(error, code);
  if (NO_SCHEMA.test(code))
    return `the role in DATABASE_URL finds no schema that it may use (${code}): grant it usage and create on one, and see search_path`;
  if (isFatal(error)) return explainFatal(code);
  if (UNREACHABLE.test(code)) return `the database cannot be reached (${code})`;
  if (phase !== "connected") return explainFatal(code);
  if (GIVEN_UP.test(code) || isMet(error) || isOutOfNumbers(error))
    return `the database gave a statement up (${code})`;
  if (BROKEN.test(code)) return `the database has an internal error (${code}): see its log`;
  return undefined;
}

/** Which of the three is refused: the password, the role or the database. */
function explainRefusal(error: Error, code: string): string {
  if (code === "28P01")
    return `the database refuses the password of this role (${code}): check the user and the password in DATABASE_URL, or DATABASE_PASSWORD`;
  if (code.startsWith("3D"))
    return `the database server has no database of this name (${code}): create it, or correct the name in DATABASE_URL`;
  if (error instanceof postgres.PostgresError && error.routine === UNKNOWN_ROLE)
    return `the database has no such role, or the role may not log in (${code}): create it, or correct the user in DATABASE_URL`;
  return `the database does not let this role in from here (${code}): see pg_hba.conf on its server, and sslmode in DATABASE_URL`;
}

const isOutOfNumbers = (error: Error): boolean =>
  error instanceof postgres.PostgresError && OUT_OF_NUMBERS.test(error.routine);

/** A FATAL instead of a connection is "not now", whatever its code: poolers use many. */
function explainFatal(code: string): string {
  if (NO_SETTING.test(code))
    return `the database does not take a setting of this role or of DATABASE_URL (${code}): see its log`;
  if (/^(53|57P)/.test(code)) return `the database cannot be reached (${code})`;
  return `the database, or a pooler before it, refuses the connection (${code}): see its log`;
}

/** What the role lacks. The name at the end of the server's message is the same in each of its languages. */
function explainRight(error: Error, code: string): string {
  if (isFatal(error))
    return `the role in DATABASE_URL may not connect in this way (${code}): grant it connect on the database, and see role and options in DATABASE_URL`;
  const [, word = "", name = ""] = /(\S+) "?([a-z_][a-z0-9_]{0,62})"?$/.exec(error.message) ?? [];
  const what = /schema/i.test(word) ? `schema ${name}` : /ta?b[el]+/i.test(word) ? `table ${name}` : name;
  const remedy =
    "make it the owner of the database, or grant it usage and create on the schema, and select, insert, update and delete on the tables";
  return `the role in DATABASE_URL lacks a right on ${what || "what Janus needs"} (${code}): ${remedy}`;
}
