-- What other servers tell Janus: that a membership has ended, which events have come already, and how many of each kind.
-- Lock: access exclusive on link, organisation_token and audit_event, for the time that a column without a default, or a
-- check that existing rows are not held to, takes; share on organisation_token for its new index, which takes ten seconds
-- for a million rows. The previous release runs on it. It neither reads nor writes what is new. Until it is gone, it may
-- still push a link that another process has ended.

-- Since when a definite word of the organisation says that the membership has ended, and who said it.
alter table link add column gone_at timestamptz;
alter table link add column gone_source text;
alter table link add constraint link_gone_source_check check (gone_source in ('hook', 'scim')) not valid;
alter table link add constraint link_gone_check check ((gone_at is null) = (gone_source is null)) not valid;
-- The old list is part of the new one, so no row can fail it.
alter table link drop constraint link_clear_cause_check;
alter table link add constraint link_clear_cause_check
check (clear_cause in ('not_admitted', 'grant_ended', 'membership_ended')) not valid;

-- Ends a membership by a definite word: what Discord has is to be cleared at once, unless the brake holds it. Says whether
-- the membership had not ended before. It locks one link; who ends several calls it in the order of their keys.
create function end_membership(member_id text, source text, now timestamptz) returns boolean language sql as $$
  update link
  set
    gone_at = end_membership.now,
    gone_source = end_membership.source,
    loss_found_at = case
      when link.pushed_metadata is not null and link.cleared_at is null
        then coalesce(link.loss_found_at, end_membership.now)
      else link.loss_found_at
    end,
    loss_due_at = case
      when link.pushed_metadata is not null and link.cleared_at is null then end_membership.now
      else link.loss_due_at
    end,
    check_due_at = least(link.check_due_at, end_membership.now)
  where link.discord_user_id = end_membership.member_id and link.gone_at is null
  returning true
$$;

-- Takes that word back, if it came from the same source. The check that is due then tells Discord what the rules say.
create function restore_membership(member_id text, source text, now timestamptz) returns boolean language sql as $$
  update link
  set
    gone_at = null,
    gone_source = null,
    loss_found_at = null,
    loss_due_at = null,
    check_due_at = least(link.check_due_at, restore_membership.now)
  where link.discord_user_id = restore_membership.member_id and link.gone_source = restore_membership.source
  returning true
$$;

-- The provider's session of the last ID Token (`sid`), which a logout token may name instead of the subject.
alter table organisation_token add column provider_session_id text;
-- Migrations run in a transaction, and a table of one row a member is indexed in a moment.
-- squawk-ignore require-concurrent-index-creation
create index organisation_token_provider_session_id_idx on organisation_token (provider_session_id, issuer)
where provider_session_id is not null;
-- When the provider last said that the member has signed out there. A refresh token that is refused after that has ended
-- with the provider's session: that says nothing of the membership.
alter table organisation_token add column logged_out_at timestamptz;
alter table organisation_token drop constraint organisation_token_end_cause_check;
alter table organisation_token add constraint organisation_token_end_cause_check
check (end_cause in ('invalid_grant', 'invalid_request', 'unanswered', 'logged_out')) not valid;

-- `deauthorized`: the member has removed Janus at Discord. Then no tokens are kept: both are empty.
alter table discord_token drop constraint discord_token_end_cause_check;
alter table discord_token add constraint discord_token_end_cause_check
check (end_cause in ('invalid_grant', 'invalid_request', 'unanswered', 'deauthorized')) not valid;
alter table discord_token add constraint discord_token_tokens_check
check ((end_cause is not distinct from 'deauthorized') = (access_token_sealed = '')) not valid;

-- Events that have come, so that a repeat has no effect, whichever process it reaches.
create table received_event (
  source text not null,
  event_id text not null,
  -- A repeat after this is refused as too old.
  expires_at timestamptz not null,
  constraint received_event_pkey primary key (source, event_id),
  constraint received_event_source_check check (source in ('discord', 'logout', 'hook', 'scim')),
  constraint received_event_event_id_check check (length(event_id) between 1 and 255)
);

create index received_event_expires_at_idx on received_event (expires_at);

-- How many events came from each source on each day, and with what effect.
create table event_count (
  source text not null,
  outcome text not null,
  -- Its start in UTC.
  day timestamptz not null,
  events bigint not null,
  constraint event_count_pkey primary key (day, source, outcome),
  constraint event_count_source_check check (source in ('discord', 'logout', 'hook', 'scim')),
  constraint event_count_events_check check (events > 0)
);

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
    'membership_restored'
  )
) not valid;
