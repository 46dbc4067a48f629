-- Who of the operators did what: their name in the trail, and the actions that a command, the page of administrators or a
-- command in Discord takes.
-- Lock: access exclusive on audit_event, for the time that a column without a default and a check take that existing rows
-- are not held to.
-- The previous release runs on it: it knows neither the column nor the new actions.

-- Who asked for it, as `JANUS_OPERATOR` or the operating system names them; null if no operator did.
alter table audit_event add column operator text;

-- The old list is part of the new one, so no row can fail it.
alter table audit_event drop constraint audit_event_action_check;
alter table audit_event add constraint audit_event_action_check check (
  action in (
    'discord_authorized',
    'linked',
    'relinked',
    'conflict_met',
    'not_admitted',
    'link_moved',
    'link_replaced',
    'unlinked',
    'role_connection_pushed',
    'role_connection_cleared',
    'push_failed',
    'role_connection_not_cleared',
    'disconnected',
    'discord_grant_refused',
    'grant_ended',
    'grant_not_revoked',
    'provider_grant_refused',
    'provider_grant_ended',
    'signed_in',
    'signed_out',
    'session_ended',
    'data_exported',
    'deauthorized',
    'provider_logout',
    'recheck_asked',
    'membership_ended',
    'membership_restored',
    'keys_rotated',
    'sync_asked',
    'sessions_purged',
    'links_exported',
    'losses_released',
    'banned',
    'ban_lifted',
    'ban_met',
    'imported',
    'adopted',
    'database_restored',
    'database_moved',
    'looked_at'
  )
) not valid;
