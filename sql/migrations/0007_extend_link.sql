-- What a member may do with a link: have it pushed now, and undo it. An undone link leaves grants that are to end, at
-- Discord and at the provider, until both have taken it.
-- Lock: access exclusive on link, organisation_token, discord_token and audit_event, for the time that a column without
-- a default, or a check that existing rows are not held to, takes. The previous release runs on it.

alter table link add column sync_asked_at timestamptz;

alter table organisation_token add column end_due_at timestamptz;
alter table organisation_token add column leased_until timestamptz;

-- No row has the new column yet, so there is nothing to index and nobody waits.
-- squawk-ignore require-concurrent-index-creation
create index organisation_token_end_due_at_idx on organisation_token (end_due_at) where end_due_at is not null;

-- The old lists are part of the new ones, so no row can fail them.
alter table discord_token drop constraint discord_token_end_reason_check;
alter table discord_token add constraint discord_token_end_reason_check
check (end_reason in ('abandoned', 'moved', 'unlinked')) not valid;

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
    'grant_ended',
    'provider_grant_ended',
    'signed_in',
    'signed_out',
    'session_ended',
    'data_exported'
  )
) not valid;
