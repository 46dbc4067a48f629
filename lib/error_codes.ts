/**
 * The codes of all failures on purpose: a closed set, stable, since the log, the API and docs/errors.md name them. Each has
 * an HTTP status, or the exit code of a command. `errors.ts` makes the errors.
 */

/** A failure that a member can meet, with the HTTP status of its answer. */
export const STATUS = {
  callback_malformed: 400,
  authorization_rejected: 400,
  code_rejected: 400,
  scope_missing: 400,
  unauthenticated: 401,
  state_mismatch: 403,
  flow_expired: 403,
  flow_finished: 403,
  issuer_mismatch: 403,
  origin_refused: 403,
  prefetch_refused: 403,
  grant_ended: 403,
  banned: 403,
  not_found: 404,
  not_linked: 404,
  session_unknown: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  request_too_large: 413,
  sync_too_soon: 429,
  too_many_requests: 429,
  internal: 500,
  token_unreadable: 500,
  id_token_refused: 502,
  id_token_unsupported: 502,
  userinfo_refused: 502,
  provider_misconfigured: 502,
  provider_client_rejected: 502,
  discord_client_rejected: 502,
  discord_refused: 502,
  provider_unavailable: 503,
  discord_unavailable: 503,
  discord_rate_limited: 503,
  grant_ending: 503,
  database_unavailable: 503,
  database_not_migrated: 503,
  too_busy: 503,
} as const;

/** A failure that only an operator at a command line can meet, with the exit code of the command. */
export const EXIT_STATUS = {
  usage: 2,
  config_invalid: 2,
  backup_failed: 1,
  backup_unreadable: 1,
  data_dir_locked: 1,
  address_in_use: 1,
  database_newer: 1,
  database_not_empty: 1,
  database_unsupported: 1,
  migration_edited: 1,
  migration_failed: 1,
  registration_failed: 1,
  registration_unconfirmed: 1,
  records_not_registered: 1,
  import_refused: 2,
  unhealthy: 1,
} as const;

/** Failures that a use case of Janus answers itself, so that no page and no command has them. */
const INNER_CODES = ["refresh_refused", "access_token_refused"] as const;

/** A failure that a member can meet. */
export type PublicErrorCode = keyof typeof STATUS;

/** A failure that only an operator at a command line can meet. */
export type CommandErrorCode = keyof typeof EXIT_STATUS;

/** A failure that ends within Janus, and that only the log can name. */
export type InnerErrorCode = (typeof INNER_CODES)[number];

/** Any failure on purpose. */
export type ErrorCode = PublicErrorCode | CommandErrorCode | InnerErrorCode;

/** True for a code that has a page of its own. */
export function isPublicErrorCode(code: string): code is PublicErrorCode {
  return Object.hasOwn(STATUS, code);
}

/** True for a code that only a command has. */
export function isCommandErrorCode(code: string): code is CommandErrorCode {
  return Object.hasOwn(EXIT_STATUS, code);
}

/** All codes that a member can meet, in the order of their HTTP status. */
export const PUBLIC_ERROR_CODES = Object.keys(STATUS).filter(isPublicErrorCode);

/** All codes: of pages, of commands, and those that end within Janus. */
export const ERROR_CODES: readonly string[] = [
  ...Object.keys(STATUS),
  ...Object.keys(EXIT_STATUS),
  ...INNER_CODES,
];
