/**
 * The names that log lines use: events, steps and outcomes. The lists are closed and snake_case, since dashboards, alerts
 * and metrics count by them. What each event means is in docs/errors.md.
 */

/** Every event. */
export const LOG_EVENTS = [
  "address_limited",
  "admission_unknown",
  "backup_socket_missing",
  "check_not_recorded",
  "claims_not_read",
  "clock_differs",
  "clock_not_compared",
  "configuration_not_checked",
  "configuration_unwise",
  "crashed",
  "database_copied",
  "database_not_copied",
  "database_not_ready",
  "database_pooled",
  "discovery_not_refreshed",
  "discovery_partly_ignored",
  "embedded_database_migrated",
  "event_received",
  "event_counts_not_stored",
  "flow_step",
  "grant_end_superseded",
  "grant_ended",
  "grant_given_up",
  "grant_not_ended",
  "grant_not_refreshed",
  "grant_not_revoked",
  "grants_not_ended",
  "interaction_answered",
  "lease_not_freed",
  "link_checked",
  "listening",
  "log_lines_dropped",
  "losses_held",
  "losses_let_go",
  "member_not_fetched",
  "metrics_listening",
  "offline_access_left_out",
  "provider_grant_ended",
  "provider_grant_not_ended",
  "provider_not_ready",
  "proxy_not_trusted",
  "push_not_recorded",
  "request",
  "request_failed",
  "requests_cut_off",
  "role_connection_kept",
  "role_connection_not_cleared",
  "role_connection_not_cleared_yet",
  "role_connection_not_pushed",
  "role_connection_not_read",
  "role_connection_told",
  "rule_failed",
  "rules_in_force",
  "secrets_not_reloaded",
  "secrets_reloaded",
  "serving",
  "setup_faulty",
  "setup_mended",
  "source_not_read",
  "start_failed",
  "stop_failed",
  "stopped",
  "stopping",
  "stray_tokens_not_settled",
  "stray_tokens_settled",
  "tokens_lost",
  "tokens_not_stored_yet",
  "too_busy",
  "traces_not_sent",
  "upkeep_failed",
  "upstream_call",
  "upstream_resumed",
  "upstream_stopped",
  "waiting_for_database",
] as const;
/** One of `LOG_EVENTS`. */
export type LogEvent = (typeof LOG_EVENTS)[number];

/** Steps of a flow, and the work on a grant that holds a lease. */
export type LogStep =
  | "discord"
  | "provider"
  | "move"
  | "login"
  | "doctor"
  | "admin"
  | "unlink"
  | "clear"
  | "put_off"
  | "refresh"
  | "session_refresh"
  | "provider_tokens"
  | "stray_tokens"
  | UpkeepStep;

/** What upkeep does, each by its name. */
export type UpkeepStep =
  | "store_unstored_tokens"
  | "refresh_due_grants"
  | "delete_old_flows"
  | "mark_abandoned_grants"
  | "end_banned_links"
  | "end_due_grants"
  | "clear_due_role_connections"
  | "mark_abandoned_provider_grants"
  | "end_due_provider_grants"
  | "settle_stray_tokens"
  | "delete_expired_sessions"
  | "delete_expired_admin_sessions"
  | "delete_unused_accounts"
  | "delete_unlinked_accounts"
  | "delete_old_findings"
  | "delete_expired_events"
  | "delete_expired_bans"
  | "delete_old_audit_events"
  | "store_event_counts"
  | "settle_scim_groups"
  | "check_due_links"
  | "push_due_links"
  | "push_due_losses"
  | "note_held_losses"
  | "report_limits"
  | "compare_clocks";

/** How something ended. */
export type LogOutcome =
  | "answered"
  | "cancelled"
  | "conflict"
  | "departed"
  | "ended"
  | "ended_before"
  | "examined"
  | "failed"
  | "given_to_their_account"
  | "given_up"
  | "kept"
  | "linked"
  | "moved"
  | "no_revocation"
  | "not_admitted"
  | "of_another_issuer"
  | "of_unknown_member"
  | "put_off"
  | "read"
  | "refreshed"
  | "refused"
  | "relinked"
  | "revoked"
  | "sent_back"
  | "signed_in"
  | "unknown"
  | "unlinked";

/** Who tells Janus of something: Discord's events, logout tokens, the recheck hook, or a SCIM client. */
export type Doorbell = "discord" | "logout" | "hook" | "scim";

/** What has limits of its own at the edge: those above, and what a member asks by a command in Discord. */
export type RequestSource = Doorbell | "interaction";

/** What a command in Discord was answered with. */
export type InteractionOutcome =
  /** Something that is asked was told; or Discord only asked whether Janus is there. */
  | "answered"
  /** It took longer than Discord waits, or failed. */
  | "failed"
  /** Nobody who may has sent it, it is malformed, or who asks may not ask that. */
  | "refused"
  /** It has come before. */
  | "repeated"
  /** The member who was asked about has no link. */
  | "unlinked";

/** What an event has led to. */
export type EventOutcome =
  /** A question without an effect was answered. */
  | "answered"
  /** The member has removed Janus at Discord. */
  | "deauthorized"
  /** The membership has ended. */
  | "ended"
  /** Janus has nobody or nothing to which it applies, or it comes too late. */
  | "ignored"
  /** The member's claims are due now. */
  | "rechecked"
  /** It is malformed, or nobody who may has sent it. */
  | "refused"
  /** It has come before. */
  | "repeated"
  /** A membership that had ended goes on. */
  | "restored";
