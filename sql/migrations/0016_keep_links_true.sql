-- What keeps a link true: when its claims are read next, under which lease, how often that failed and why; that the
-- provider has ended the grant; and what a member would lose, so that too many losses at once are held.
-- docs/decisions/0043
-- Lock: access exclusive on link, organisation_token and audit_event, for the time that a column without a default or
-- with a constant one, a trigger, or a check that existing rows are not held to, takes; share on link, discord_token and
-- organisation_token for their new indexes, which take ten seconds for a million rows.
-- The previous release runs on it. It neither reads nor writes what is new; the trigger keeps the new columns right for
-- its sign-ins. A link that it makes is due for a check at once. A later migration drops the trigger and the default.

-- When the claims are to be read next. A claim sets both columns to the end of its lease, as with push_due_at.
alter table link add column check_due_at timestamptz not null default now();
alter table link add column check_leased_until timestamptz;
alter table link add column check_failures integer not null default 0;
alter table link add constraint link_check_failures_check check (check_failures >= 0) not valid;
-- The code of the last failure; null if the last check went well.
alter table link add column check_failed_code text;
-- When Janus last read at Discord what Discord has.
alter table link add column reconciled_at timestamptz;
-- Since when Discord has nothing, because the member removed it there.
alter table link add column disconnected_at timestamptz;
-- Since when Discord has had something else than it was told, by the last reading.
alter table link add column drift_found_at timestamptz;
-- Why the role connection was cleared; null if it was not, or by an earlier release: then as if not_admitted.
alter table link add column clear_cause text;
alter table link add constraint link_clear_cause_check check (clear_cause in ('not_admitted', 'grant_ended')) not valid;
-- Since when the rules take something from the member that Discord still has, and when that is to be pushed.
alter table link add column loss_found_at timestamptz;
alter table link add column loss_due_at timestamptz;
alter table link add constraint link_loss_check check ((loss_found_at is null) = (loss_due_at is null)) not valid;
-- When Discord was last told of a loss.
alter table link add column lost_at timestamptz;

-- Migrations run in a transaction, and a table of one row a member is indexed in a moment. Few links lose anything.
-- squawk-ignore require-concurrent-index-creation
create index link_check_due_at_idx on link (check_due_at);
-- squawk-ignore require-concurrent-index-creation
create index link_loss_due_at_idx on link (loss_due_at) where loss_due_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index link_lost_at_idx on link (lost_at) where lost_at is not null;

-- What an audit looks for. The first four have only the few rows that it finds.
-- squawk-ignore require-concurrent-index-creation
create index link_push_failures_idx on link (push_failures) where push_failures > 0;
-- squawk-ignore require-concurrent-index-creation
create index link_disconnected_at_idx on link (disconnected_at) where disconnected_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index link_drift_found_at_idx on link (drift_found_at) where drift_found_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index discord_token_refresh_unanswered_since_idx on discord_token (refresh_unanswered_since)
where refresh_unanswered_since is not null;
-- When Discord was last known to have what it was told.
-- squawk-ignore require-concurrent-index-creation
create index link_read_back_idx on link (greatest(reconciled_at, pushed_at)) where disconnected_at is null;
-- The ids of the keys that have sealed the tokens. With the refresh token first, those without one are found too.
-- squawk-ignore require-concurrent-index-creation
create index discord_token_keys_idx on discord_token (
  split_part(access_token_sealed, '.', 1), split_part(refresh_token_sealed, '.', 1)
);
-- squawk-ignore require-concurrent-index-creation
create index organisation_token_keys_idx on organisation_token (
  coalesce(split_part(refresh_token_sealed, '.', 1), ''), split_part(access_token_sealed, '.', 1)
);

-- Since when a refresh was sent whose answer never came, and how often in a row the provider answered invalid_request.
alter table organisation_token add column refresh_unanswered_since timestamptz;
alter table organisation_token add column refresh_refusals integer not null default 0;
alter table organisation_token add constraint organisation_token_refresh_refusals_check
check (refresh_refusals >= 0) not valid;
-- Since when the refresh token is dead, and why. `unanswered`: an answer was lost, so it may have been spent.
alter table organisation_token add column ended_at timestamptz;
alter table organisation_token add column end_cause text;
alter table organisation_token add constraint organisation_token_end_cause_check
check (end_cause in ('invalid_grant', 'invalid_request', 'unanswered')) not valid;
alter table organisation_token add constraint organisation_token_ended_check
check ((ended_at is null) = (end_cause is null)) not valid;
-- squawk-ignore require-concurrent-index-creation
create index organisation_token_ended_at_idx on organisation_token (end_cause, ended_at) where ended_at is not null;

-- A sign-in with the previous release brings new tokens. Nothing that is known of the old ones is true of them.
create function revive_organisation_token_of_previous_release() returns trigger language plpgsql as $$
begin
  new.ended_at := null;
  new.end_cause := null;
  new.refresh_unanswered_since := null;
  new.refresh_refusals := 0;
  return new;
end
$$;

create trigger organisation_token_revive before update of obtained_at on organisation_token
for each row when (
  new.obtained_at is distinct from old.obtained_at
  and new.access_token_sealed is distinct from old.access_token_sealed
  and new.ended_at is not distinct from old.ended_at
  and new.refresh_unanswered_since is not distinct from old.refresh_unanswered_since
  and (new.ended_at is not null or new.refresh_unanswered_since is not null or new.refresh_refusals > 0)
)
execute function revive_organisation_token_of_previous_release();

-- The brake: whether losses are held. One row; none before the first loss.
create table brake (
  brake_id boolean not null default true,
  -- When the sync last looked at other links because of a loss.
  looked_at timestamptz,
  -- Links that were read since then need not be read again for that.
  seen_after timestamptz,
  held_at timestamptz,
  -- Losses found before this were released by the operator.
  released_at timestamptz,
  constraint brake_pkey primary key (brake_id),
  constraint brake_one_row_check check (brake_id)
);

-- What an event changed, such as the values of records before and after.
alter table audit_event add column detail jsonb;
alter table audit_event add constraint audit_event_detail_check check (jsonb_typeof(detail) = 'object') not valid;

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
