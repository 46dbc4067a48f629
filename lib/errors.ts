/**
 * Every way in which Janus fails on purpose: one error type, and one named constructor for each code of `error_codes.ts`.
 * Any room may throw them; `http/` turns them into responses, `cli/` into exit codes.
 *
 * The `reason` is private: it is logged once, at the edge, and never shown. It names the thing, the fault and the remedy in
 * our own words. From outside it has only OAuth errors and the issuer of a discovery document. Public texts: `pages/`.
 */
import type { CommandErrorCode, ErrorCode } from "./error_codes.ts";
import { EXIT_STATUS, isCommandErrorCode, isPublicErrorCode, STATUS } from "./error_codes.ts";

type Detail = {
  readonly cause?: unknown;
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whether an answer of the server has named that time. */
  readonly isWaitAsked?: boolean;
  /** Whether the server has certainly not done what was asked: the request was not sent, or was turned away. */
  readonly isUntaken?: boolean;
  /** Of a limit or a wait: whether it is about one member's calls, all calls of the application, or this address. */
  readonly limit?: "member" | "global" | "address" | undefined;
  /** The methods that the address has, as in an Allow header. */
  readonly allow?: string;
};

/** The one error type. `message` is the private reason; for a command's error it is what the operator reads. */
export class JanusError extends Error {
  override readonly name = "JanusError";
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly isWaitAsked: boolean;
  readonly isUntaken: boolean;
  readonly limit: Detail["limit"];
  readonly allow: string | undefined;

  constructor(code: ErrorCode, reason: string, detail: Detail = {}) {
    super(reason, { cause: detail.cause });
    this.code = code;
    this.retryAfterSeconds = detail.retryAfterSeconds;
    this.isWaitAsked = detail.isWaitAsked ?? false;
    this.isUntaken = detail.isUntaken ?? false;
    this.limit = detail.limit;
    this.allow = detail.allow;
  }

  /** The HTTP status of the answer; 500 for a failure that no page was meant for. */
  get status(): number {
    return isPublicErrorCode(this.code) ? STATUS[this.code] : 500;
  }

  /** The exit code of a command that ended with this error. */
  get exitStatus(): number {
    return isCommandErrorCode(this.code) ? EXIT_STATUS[this.code] : 1;
  }
}

const DEFAULT_RETRY_AFTER_SECONDS = 30;

/** Wraps what was thrown, unless it is ours already. */
export function asJanusError(error: unknown): JanusError {
  return error instanceof JanusError ? error : internal("unexpected failure", error);
}

/** The same failure, where the request that was to follow was not sent. */
export function asUntaken(error: unknown): JanusError {
  const { code, message, cause, retryAfterSeconds, isWaitAsked, limit } = asJanusError(error);
  return new JanusError(code, message, { cause, retryAfterSeconds, isWaitAsked, limit, isUntaken: true });
}

// Bad input: nothing was done, nothing changed.

/** A callback whose `code`, `state` or `iss` is missing, doubled, too long or not text. */
export const callbackMalformed = (reason: string) => new JanusError("callback_malformed", reason);
/** A server refuses this sign-in with an error of its own, in the callback or for a right code. RFC 6749 4.1.2.1, 5.2 */
export const authorizationRejected = (reason: string) => new JanusError("authorization_rejected", reason);
/** The token endpoint does not know the code, or knows it no longer. RFC 6749 5.2 `invalid_grant` */
export const codeRejected = (reason: string) => new JanusError("code_rejected", reason);
/** The member's grant lacks a scope that the link needs. */
export const scopeMissing = (reason: string) => new JanusError("scope_missing", reason);
/** The callback's state belongs to no flow of this browser. RFC 6749 10.12 */
export const stateMismatch = (reason: string) => new JanusError("state_mismatch", reason);
/** The flow is this browser's, but older than its lifetime; or a server's own sign-in page was. */
export const flowExpired = (reason: string) => new JanusError("flow_expired", reason);
/** The flow is this browser's, but was finished before. */
export const flowFinished = (reason: string) => new JanusError("flow_finished", reason);
/** The callback's `iss` is wrong, or missing where the provider announces it. RFC 9207 2.4 */
export const issuerMismatch = (reason: string) => new JanusError("issuer_mismatch", reason);
/** A form that was sent from another site. */
export const originRefused = (reason: string) => new JanusError("origin_refused", reason);
/** A browser requested in advance a page that changes something. After any failure it asks again when it needs it. */
export const prefetchRefused = () => new JanusError("prefetch_refused", "the page was requested in advance");
/** No such page. */
export const notFound = () => new JanusError("not_found", "no such route");
/** The page exists, and not for this method. `allow` lists those that it has. RFC 9110 15.5.6 */
export const methodNotAllowed = (allow: string) =>
  new JanusError("method_not_allowed", `the address takes ${allow}`, { allow });
/** No session, or one that has ended. It does not say which of the two cookies was wrong. RFC 9110 15.5.2 */
export const unauthenticated = (reason: string, cause?: unknown) =>
  new JanusError("unauthenticated", reason, { cause });
/** The member has no link to act on. */
export const notLinked = () => new JanusError("not_linked", "the member has no link");
/** The member has no other session with this handle. */
export const sessionUnknown = () => new JanusError("session_unknown", "the member has no such session");
/** The member's last "sync now" is too recent. RFC 6585 4 */
export const syncTooSoon = (retryAfterSeconds: number) =>
  new JanusError("sync_too_soon", "the member asked again within a minute", { retryAfterSeconds });
/** One of the member's two accounts may not link. Which one and why is not told. */
export const banned = () => new JanusError("banned", "an account of the member is banned");
/** A request body over the cap. RFC 9110 15.5.14 */
export const requestTooLarge = (reason: string) => new JanusError("request_too_large", reason);
/** A request body that does not arrive. RFC 9110 15.5.9 */
export const requestTimeout = (reason: string) => new JanusError("request_timeout", reason);
/** One address asks more often than RATE_LIMIT_PER_MINUTE allows. RFC 6585 4 */
export const tooManyRequests = (retryAfterSeconds: number) =>
  new JanusError("too_many_requests", "the address is over its limit", { retryAfterSeconds });

// Our own faults.

/** More requests are in progress than one process can answer well. */
export const tooBusy = () =>
  new JanusError("too_busy", "too many requests in progress", { retryAfterSeconds: 5 });

/** A defect in Janus. */
export const internal = (reason: string, cause?: unknown) => new JanusError("internal", reason, { cause });
/** A sealed token that no key of the ring opens, or that was moved from another row. */
export const tokenUnreadable = (reason: string) => new JanusError("token_unreadable", reason);

// The provider's answers.

/** An ID Token that fails a check of OpenID Connect Core 3.1.3.7. */
export const idTokenRefused = (reason: string, cause?: unknown) =>
  new JanusError("id_token_refused", reason, { cause });
/** An ID Token that is unsigned, signed with the client secret or encrypted: the operator must change the provider. */
export const idTokenUnsupported = (reason: string) => new JanusError("id_token_unsupported", reason);
/** A UserInfo answer about somebody else. OpenID Connect Core 5.3.4 */
export const userinfoRefused = (reason: string) => new JanusError("userinfo_refused", reason);
/** Discovery says something that Janus must not follow. OpenID Connect Discovery 4.3 */
export const providerMisconfigured = (reason: string) => new JanusError("provider_misconfigured", reason);
/** The provider does not accept our client credentials. RFC 6749 5.2 `invalid_client` */
export const providerClientRejected = (reason: string) => new JanusError("provider_client_rejected", reason);
/** A refresh that is answered with invalid_request. Some providers say so of a token that they have forgotten. RFC 6749 5.2 */
export const refreshRefused = (reason: string) => new JanusError("refresh_refused", reason);
/** UserInfo does not take the access token of a link: it may have run out, or the provider's mind has changed. RFC 6750 3.1 */
export const accessTokenRefused = (reason: string) => new JanusError("access_token_refused", reason);
/** No answer from the provider, or one that is neither yes nor no. */
export const providerUnavailable = (reason: string, detail: Detail = {}) =>
  new JanusError("provider_unavailable", reason, {
    retryAfterSeconds: DEFAULT_RETRY_AFTER_SECONDS,
    ...detail,
  });

// The grants: at Discord or at the provider.

/** The server no longer accepts the grant's tokens: the member, or the organisation, has ended it. RFC 6749 5.2 */
export const grantEnded = (reason: string, cause?: unknown) =>
  new JanusError("grant_ended", reason, { cause });

// Discord's answers.

/** Discord does not accept our client credentials. RFC 6749 5.2 `invalid_client` */
export const discordClientRejected = (reason: string) => new JanusError("discord_client_rejected", reason);
/** Discord understood the request and refuses it: a 4xx that another try does not change. */
export const discordRefused = (reason: string) => new JanusError("discord_refused", reason);
/** No answer from Discord, or one that is neither yes nor no. */
export const discordUnavailable = (reason: string, detail: Detail = {}) =>
  new JanusError("discord_unavailable", reason, {
    retryAfterSeconds: DEFAULT_RETRY_AFTER_SECONDS,
    ...detail,
  });
/** A 429, and a wait would be too long for the member. https://discord.com/developers/docs/topics/rate-limits */
export const discordRateLimited = (reason: string, retryAfterSeconds: number, limit?: Detail["limit"]) =>
  new JanusError("discord_rate_limited", reason, { retryAfterSeconds, limit });
/** The member's earlier grant is being revoked at this moment, which would take the new one with it. */
export const grantEnding = () =>
  new JanusError("grant_ending", "an earlier grant is being revoked", { retryAfterSeconds: 60 });

// The database.

/** The database does not answer within the deadline. */
export const databaseUnavailable = (reason: string, cause?: unknown) =>
  new JanusError("database_unavailable", reason, { cause, retryAfterSeconds: 10 });
/** The database is older than the program. */
export const databaseNotMigrated = (reason: string, cause?: unknown) =>
  new JanusError("database_not_migrated", reason, { cause, retryAfterSeconds: DEFAULT_RETRY_AFTER_SECONDS });

// Commands: the message is for the operator, whole.
const ofCommand = (code: CommandErrorCode) => (message: string, cause?: unknown) =>
  new JanusError(code, message, { cause });

/** A command, option or argument that does not exist. */
export const usage = (message: string, cause?: unknown) => new JanusError("usage", message, { cause });
/** One or more environment variables are missing or malformed; the message names all of them. */
export const configInvalid = (message: string) => new JanusError("config_invalid", message);
/** Another process has the embedded database open. */
export const dataDirLocked = ofCommand("data_dir_locked");
/** HOST and PORT are taken. */
export const addressInUse = ofCommand("address_in_use");
/** A backup could not be made, and no file is left in its place. */
export const backupFailed = ofCommand("backup_failed");
/** A file is no backup of Janus, or is not whole. */
export const backupUnreadable = ofCommand("backup_unreadable");
/** The database that is to be filled has tables already. */
export const databaseNotEmpty = (message: string) => new JanusError("database_not_empty", message);
/** A newer Janus has migrated this database. */
export const databaseNewer = (message: string) => new JanusError("database_newer", message);
/** A database of an encoding or a version that Janus cannot use. */
export const databaseUnsupported = (message: string) => new JanusError("database_unsupported", message);
/** A migration that this database has applied reads differently in this program. */
export const migrationEdited = (message: string) => new JanusError("migration_edited", message);
/** A migration's SQL failed; nothing of it was applied. */
export const migrationFailed = ofCommand("migration_failed");
/** Discord did not take the metadata records. */
export const registrationFailed = ofCommand("registration_failed");
/** Nobody has agreed to change the metadata records. */
export const registrationUnconfirmed = ofCommand("registration_unconfirmed");
/** Discord lacks the metadata records, as far as Janus knows. */
export const recordsNotRegistered = (message: string) => new JanusError("records_not_registered", message);
/** What links are to be imported from cannot be read, or is not what it should be. Nothing was imported. */
export const importRefused = (message: string) => new JanusError("import_refused", message);
/** The server on this machine does not answer, or not as it should. */
export const unhealthy = (message: string, detail: Detail = {}) =>
  new JanusError("unhealthy", message, detail);
