-- Claims links whose push is due. No other process takes them until the lease ends, and then they are due again. A time
-- beyond what a correct clock can write counts as now.
-- $1 limit bigint
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- rows: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- rows: linked_at timestamptz, imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text,
-- rows: cleared_at timestamptz,
-- rows: clear_cause text, loss_found_at timestamptz, access_token_sealed text, discord_expires_at timestamptz,
-- rows: push_failures integer, gone_at timestamptz, token_refused_at timestamptz, organisation_ended_at timestamptz,
-- rows: organisation_end_cause text
with due_now as (
  select link.discord_user_id
  from link
  where link.push_due_at <= $3 and not is_leased(link.push_leased_until, $3)
  order by link.push_due_at
  limit $1
  for update skip locked
),

-- By itself, so that both parts read no more of the index than they take.
due_beyond as (
  select link.discord_user_id
  from link
  where
    link.push_due_at > $3::timestamptz + interval '7 hours'
    and not is_leased(link.push_leased_until, $3)
    and not exists (select from due_now)
  order by link.push_due_at
  limit $1
  for update skip locked
),

due as (
  select due_now.discord_user_id from due_now
  union all
  select due_beyond.discord_user_id from due_beyond
)

update link
set
  push_due_at = $2,
  push_leased_until = $2
from due
inner join discord_token on due.discord_user_id = discord_token.discord_user_id
inner join discord_account on due.discord_user_id = discord_account.discord_user_id,
organisation_account
left join organisation_token
  on organisation_account.issuer = organisation_token.issuer and organisation_account.subject = organisation_token.subject
where
  link.discord_user_id = due.discord_user_id
  and organisation_account.issuer = link.issuer
  and organisation_account.subject = link.subject
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
  organisation_token.end_cause as organisation_end_cause
