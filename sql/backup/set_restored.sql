-- What a database needs that was restored from a backup: docs/decisions/0051. Janus has gone on after the backup, so it may
-- have spent each refresh token since: all count as sent without an answer, and one that is dead then says nothing of its
-- grant. What was under way is over. What members were about to lose is found again by checks, which read their claims
-- first. Grace begins again, since a member may have signed in after the backup.
-- row: links integer, sessions integer
with given as not materialized (
  select
    $1::bigint as spread_seconds, -- within which every link is checked
    $2::timestamptz as now
),

sessions_ended as (
  delete from session
  returning session.session_id_hash
),

flows_ended as (
  delete from flow
  returning flow.flow_id_hash
),

discord_tokens_doubted as (
  update discord_token
  set
    leased_until = null,
    refresh_unanswered_since = case
      when discord_token.ended_at is null then coalesce(discord_token.refresh_unanswered_since, given.now)
    end,
    refresh_retry_at = null
  from given
  returning discord_token.discord_user_id
),

provider_tokens_doubted as (
  update organisation_token
  set
    leased_until = null,
    refresh_unanswered_since = case
      when organisation_token.ended_at is null
        then coalesce(organisation_token.refresh_unanswered_since, given.now)
      else organisation_token.refresh_unanswered_since
    end,
    refresh_retry_at = null,
    -- Unless the role is gone already.
    ended_at = case
      when
        organisation_token.end_cause in ('invalid_grant', 'invalid_request')
        and exists (
          select from link
          where
            link.issuer = organisation_token.issuer
            and link.subject = organisation_token.subject
            and link.cleared_at is null
        )
        then given.now
      else organisation_token.ended_at
    end
  from given
  returning organisation_token.subject
),

stray_tokens_doubted as (
  update stray_token
  set refresh_unanswered_since = coalesce(stray_token.refresh_unanswered_since, given.now)
  from given
  returning stray_token.stray_token_id
),

links_doubted as (
  update link
  set
    check_due_at = given.now + random() * given.spread_seconds * interval '1 second',
    check_leased_until = null,
    check_failures = 0,
    -- A push that was due may have been made since.
    push_due_at = case when link.pushed_metadata is null then link.push_due_at end,
    push_failures = 0,
    push_failed_code = null,
    push_leased_until = null,
    reconciled_at = null,
    loss_found_at = null,
    loss_due_at = null
  from given
  returning link.discord_user_id
),

brake_looks_again as (
  update brake
  set
    looked_at = null,
    seen_after = null
  returning brake.brake_id
),

remembered as (
  insert into backup (restored_at)
  select given.now from given
  on conflict (backup_id) do update set restored_at = excluded.restored_at
  returning backup.backup_id
)

select
  (select count(*) from links_doubted)::integer as links,
  (select count(*) from sessions_ended)::integer as sessions
