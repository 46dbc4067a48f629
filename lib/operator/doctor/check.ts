/**
 * The doctor: it looks at a set-up from the operator's side, and says what is wrong and what to do. This room owns
 * `janus doctor`, and what the running server does for it:
 *
 *   examine.ts             every check, in groups that run at the same time
 *   *_checks.ts            the checks of one group
 *   settings.ts            the configuration, or the parts of it that can be read
 *   token.ts               what proves to a server that the doctor knows its secrets
 *   login.ts               the sign-in of `janus doctor --login`
 *   handlers.ts            GET /doctor and GET /doctor/reach
 *
 * Nothing here changes anything. What a question is, and what an answer means, is left to the rooms that ask it otherwise,
 * such as `setup_questions.ts`, `oidc/` and `database/`. How a report looks is left to `cli/`.
 */
import type { JanusError } from "../../errors.ts";

/** What a check found. `unknown`: it could not be found out, which says nothing of the set-up. */
export type CheckState = "ok" | "warning" | "fault" | "unknown";

/** Every check by its group, in the order of the report. Programs read these ids, so none is ever renamed. */
export const CHECK_GROUPS = {
  configuration: ["configuration", "configuration_risks", "rules"],
  database: [
    "database_reachable",
    "database_encoding",
    "database_migrations",
    "database_rights",
    "database_token_keys",
    "sync",
  ],
  public_url: ["public_url_reachable", "public_url_scheme", "public_url_client_address"],
  discord: [
    "discord_client",
    "discord_bot",
    "discord_redirects",
    "discord_verification_url",
    "discord_events",
    "discord_commands",
    "discord_records",
    "discord_clock",
  ],
  provider: [
    "provider_discovery",
    "provider_issuer",
    "provider_endpoints",
    "provider_signing",
    "provider_pkce",
    "provider_scopes",
    "provider_logout",
    "provider_claims",
    "provider_client",
    "provider_clock",
  ],
} as const;

/** A group of checks. */
export type CheckGroup = keyof typeof CHECK_GROUPS;
/** The name of a check. */
export type CheckId = (typeof CHECK_GROUPS)[CheckGroup][number];

/** One check. `remedy` is null only if there is nothing to do. */
export type Check = {
  readonly id: CheckId;
  readonly state: CheckState;
  readonly detail: string;
  readonly remedy: string | null;
};

/** All is well. */
export const ok = (id: CheckId, detail: string): Check => ({ id, state: "ok", detail, remedy: null });
/** It works, and could do harm. */
export const warning = (id: CheckId, detail: string, remedy: string): Check => ({
  id,
  state: "warning",
  detail,
  remedy,
});
/** It keeps members out, or will. */
export const fault = (id: CheckId, detail: string, remedy: string): Check => ({
  id,
  state: "fault",
  detail,
  remedy,
});
/** It could not be found out. */
export const unknown = (id: CheckId, detail: string, remedy: string): Check => ({
  id,
  state: "unknown",
  detail,
  remedy,
});

/** An error's reason as a sentence. It never holds a secret: `errors.ts` says what a reason may hold. */
export const sayReason = ({ message }: JanusError): string =>
  /[.!?]$/.test(message) ? message : `${message}.`;
