-- Which key has sealed a token, and that an operator has rotated the keys, in the trail.
-- Lock: access exclusive on audit_event, for the time that a check takes that existing rows are not held to.
-- The previous release runs on it: it knows neither the function nor the new action.

-- The id of the key; empty if the text is not a sealed token. PostgreSQL writes it into the statements that use it.
create function sealing_key_id(sealed text) returns text language sql immutable as $$
  select coalesce(substring(sealed from '^([a-z0-9]{1,16})[.]'), '')
$$;

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
    'keys_rotated'
  )
) not valid;
