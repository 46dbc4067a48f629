-- How grants end at Discord, and what members have lost by the operator's word.
-- docs/decisions/0045
-- Lock: access exclusive on discord_token, link and audit_event, for the time that a column without a default or
-- with a constant one, a trigger, or a check that existing rows are not held to, takes; share on discord_token and link
-- for their new indexes; and the update of the few links that have lost something.
-- The previous release runs on it. It does not know the new columns, so it sends a refresh token again that is dead, and
-- its brake also counts losses that the operator has released. The trigger keeps the new columns right for its sign-ins.
-- A later migration drops the trigger and link.lost_at's old index.

-- Since when the refresh token is dead, and why, as on organisation_token. Not why Janus ends the grant: end_reason.
alter table discord_token add column ended_at timestamptz;
alter table discord_token add column end_cause text;
alter table discord_token add constraint discord_token_end_cause_check
check (end_cause in ('invalid_grant', 'invalid_request', 'unanswered')) not valid;
alter table discord_token add constraint discord_token_ended_check
check ((ended_at is null) = (end_cause is null)) not valid;
-- How often in a row Discord has answered a refresh with invalid_request.
alter table discord_token add column refresh_refusals integer not null default 0;
alter table discord_token add constraint discord_token_refresh_refusals_check
check (refresh_refusals >= 0) not valid;
-- Few grants have ended.
-- squawk-ignore require-concurrent-index-creation
create index discord_token_ended_at_idx on discord_token (ended_at) where ended_at is not null;

-- A sign-in with the previous release brings new tokens. Nothing that is known of the old ones is true of them.
create function revive_discord_token_of_previous_release() returns trigger language plpgsql as $$
begin
  new.ended_at := null;
  new.end_cause := null;
  new.refresh_refusals := 0;
  return new;
end
$$;

create trigger discord_token_revive before update of obtained_at on discord_token
for each row when (
  new.obtained_at is distinct from old.obtained_at
  and new.access_token_sealed is distinct from old.access_token_sealed
  and old.ended_at is not null
  and new.ended_at is not distinct from old.ended_at
)
execute function revive_discord_token_of_previous_release();

-- Since when Discord answers 401 to access tokens that it has just given; null once it takes one.
alter table link add column token_refused_at timestamptz;
-- squawk-ignore require-concurrent-index-creation
create index link_token_refused_at_idx on link (token_refused_at) where token_refused_at is not null;

-- When Discord was last told of a loss that the brake counts. lost_at is when it was last told of any.
alter table link add column loss_counted_at timestamptz;
update link
set loss_counted_at = lost_at
where lost_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index link_loss_counted_at_idx on link (loss_counted_at) where loss_counted_at is not null;

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
    'data_exported'
  )
) not valid;
