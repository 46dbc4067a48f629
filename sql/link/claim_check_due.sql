-- Claims links whose claims are to be read again, the longest due first. No other process takes them until the lease ends,
-- and then they are due again. A time beyond what a correct clock can write counts as now.
-- $1 limit bigint
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- $4 is_awaited boolean: whether a member waits for it
-- rows: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- rows: linked_at timestamptz, imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text,
-- rows: cleared_at timestamptz,
-- rows: clear_cause text, loss_found_at timestamptz, access_token_sealed text, discord_expires_at timestamptz,
-- rows: push_failures integer, gone_at timestamptz, token_refused_at timestamptz, organisation_ended_at timestamptz,
-- rows: organisation_end_cause text, discord_ended_at timestamptz, pushed_at timestamptz,
-- rows: push_due_at timestamptz, claims_seen_at timestamptz, check_failures integer, reconciled_at timestamptz,
-- rows: disconnected_at timestamptz, drift_found_at timestamptz, organisation_access_token_sealed text,
-- rows: organisation_refresh_token_sealed text, organisation_expires_at timestamptz,
-- rows: refresh_unanswered_since timestamptz, refresh_refusals integer, refresh_put_off_until timestamptz,
-- rows: is_of_backup boolean
with due_now as (
  select link.discord_user_id, link.issuer, link.subject
  from link
  where link.check_due_at <= $3 and not is_leased(link.check_leased_until, $3)
  order by link.check_due_at
  limit $1
  for update skip locked
),

-- By itself, so that both parts read no more of the index than they take.
due_beyond as (
  select link.discord_user_id, link.issuer, link.subject
  from link
  where
    link.check_due_at > $3::timestamptz + interval '41 days'
    and not is_leased(link.check_leased_until, $3)
    and not exists (select from due_now)
  order by link.check_due_at
  limit $1
  for update skip locked
),

due as (
  select due_now.discord_user_id, due_now.issuer, due_now.subject
  from due_now
  union all
  select due_beyond.discord_user_id, due_beyond.issuer, due_beyond.subject
  from due_beyond
)

update link
set
  check_due_at = $2,
  check_leased_until = $2
from due
inner join discord_account on due.discord_user_id = discord_account.discord_user_id
inner join discord_token on due.discord_user_id = discord_token.discord_user_id
inner join organisation_account
  on due.issuer = organisation_account.issuer and due.subject = organisation_account.subject
left join organisation_token on due.issuer = organisation_token.issuer and due.subject = organisation_token.subject
where link.discord_user_id = due.discord_user_id
returning
  link.discord_user_id,
  discord_account.username,
  link.issuer,
  link.subject,
  organisation_account.claims,
  organisation_account.sources,
  link.linked_at,
  link.imported_at,
  link.pushed_metadata,
  link.pushed_platform_username,
  link.cleared_at,
  link.clear_cause,
  link.loss_found_at,
  discord_token.access_token_sealed,
  discord_token.expires_at as discord_expires_at,
  link.push_failures,
  link.gone_at,
  link.token_refused_at,
  organisation_token.ended_at as organisation_ended_at,
  organisation_token.end_cause as organisation_end_cause,
  discord_token.ended_at as discord_ended_at,
  link.pushed_at,
  link.push_due_at,
  organisation_account.claims_seen_at,
  link.check_failures,
  link.reconciled_at,
  link.disconnected_at,
  link.drift_found_at,
  organisation_token.access_token_sealed as organisation_access_token_sealed,
  organisation_token.refresh_token_sealed as organisation_refresh_token_sealed,
  organisation_token.expires_at as organisation_expires_at,
  organisation_token.refresh_unanswered_since,
  coalesce(organisation_token.refresh_refusals, 0) as refresh_refusals,
  refresh_put_off_until(
    organisation_token.refresh_retry_at, organisation_token.refresh_refusals, $4, $3
  ) as refresh_put_off_until,
  -- Whether nobody has read the claims since the database was restored.
  exists (
    select from backup
    where backup.restored_at > organisation_account.claims_seen_at
  ) as is_of_backup
