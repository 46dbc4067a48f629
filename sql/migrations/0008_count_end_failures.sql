-- How often the end of a grant has failed since it was asked for. What stays refused is tried ever more seldom, and
-- does not keep its member from signing in for ever. The trail tells what an end had to leave behind.
-- When the role connection is to be cleared that such a member's earlier grant left: their new sign-in has taken the
-- place of the tokens that were to clear it.
-- Lock: access exclusive on discord_token, organisation_token and audit_event, for the time that a column with a
-- constant default, or a check that existing rows are not held to, takes. The previous release runs on it: it neither
-- reads nor writes the new columns.

alter table discord_token add column end_failures integer not null default 0;
alter table discord_token add constraint discord_token_end_failures_check check (end_failures >= 0) not valid;
alter table discord_token add column clear_due_at timestamptz;

alter table organisation_token add column end_failures integer not null default 0;
alter table organisation_token add constraint organisation_token_end_failures_check
check (end_failures >= 0) not valid;

-- The old list is part of the new one, so no row can fail it.
alter table audit_event drop constraint audit_event_action_check;
alter table audit_event add constraint audit_event_action_check check (
  action in (
    'discord_authorized',
    'linked',
    'relinked',
    'conflict_met',
    'link_moved',
    'link_replaced',
    'unlinked',
    'role_connection_pushed',
    'push_failed',
    'role_connection_not_cleared',
    'grant_ended',
    'grant_not_revoked',
    'provider_grant_ended',
    'signed_in',
    'signed_out',
    'session_ended',
    'data_exported'
  )
) not valid;
