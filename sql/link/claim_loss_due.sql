-- Claims links of which Discord is to be told a loss. No other process takes them until the lease ends, and then they are
-- due again. A time beyond what a correct clock can write counts as now.
-- A loss that has waited says nothing of now: the claims may have come back meanwhile. Where they can be read again, that
-- check is due at once, and the loss is due after it. Such a row is not claimed. Where the organisation has said that the
-- membership has ended, the claims do not matter.
-- $1 limit bigint
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- $4 found_until timestamptz: losses that were found later are held
-- $5 seen_after timestamptz: claims that were read earlier are read again first
-- $6 released_until timestamptz, null if the operator has released none: losses found until then are told as they are
-- $7 again_at timestamptz: when a loss is due whose claims cannot be read now
-- $8 issuer text: the provider that is asked; nothing reads the claims of another one
-- $9 only_gone boolean: only losses of memberships that the organisation has ended
-- rows: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- rows: linked_at timestamptz, imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text,
-- rows: cleared_at timestamptz,
-- rows: clear_cause text, loss_found_at timestamptz, access_token_sealed text, discord_expires_at timestamptz,
-- rows: push_failures integer, gone_at timestamptz, token_refused_at timestamptz, organisation_ended_at timestamptz,
-- rows: organisation_end_cause text, is_claimed boolean
with due_now as (
  select
    link.discord_user_id,
    link.issuer,
    link.subject,
    link.loss_found_at,
    link.gone_at,
    link.check_failures,
    link.check_leased_until
  from link
  where
    link.loss_due_at <= $3
    and link.loss_found_at <= $4
    and not is_leased(link.push_leased_until, $3)
    and (not $9 or link.gone_at is not null)
  order by link.loss_due_at
  limit $1
  for update skip locked
),

-- By itself, so that both parts read no more of the index than they take.
due_beyond as (
  select
    link.discord_user_id,
    link.issuer,
    link.subject,
    link.loss_found_at,
    link.gone_at,
    link.check_failures,
    link.check_leased_until
  from link
  where
    link.loss_due_at > $3::timestamptz + interval '7 hours'
    and link.loss_found_at <= $4
    and not is_leased(link.push_leased_until, $3)
    and (not $9 or link.gone_at is not null)
    and not exists (select from due_now)
  order by link.loss_due_at
  limit $1
  for update skip locked
),

due as (
  select
    due_now.discord_user_id,
    due_now.issuer,
    due_now.subject,
    due_now.loss_found_at,
    due_now.gone_at,
    due_now.check_failures,
    due_now.check_leased_until
  from due_now
  union all
  select
    due_beyond.discord_user_id,
    due_beyond.issuer,
    due_beyond.subject,
    due_beyond.loss_found_at,
    due_beyond.gone_at,
    due_beyond.check_failures,
    due_beyond.check_leased_until
  from due_beyond
),

known as (
  select
    due.discord_user_id,
    organisation_account.claims,
    organisation_account.sources,
    organisation_token.ended_at,
    organisation_token.end_cause,
    coalesce(due.loss_found_at <= $6, false)
    or due.gone_at is not null
    or organisation_account.claims_seen_at > $5
    or organisation_token.refresh_token_sealed is null
    or organisation_token.ended_at is not null
    or due.issuer <> $8 as is_claimed,
    -- While reading fails, it has pauses of its own.
    due.check_failures > 0 or is_leased(due.check_leased_until, $3) as is_waiting
  from due
  inner join organisation_account
    on due.issuer = organisation_account.issuer and due.subject = organisation_account.subject
  left join organisation_token on due.issuer = organisation_token.issuer and due.subject = organisation_token.subject
)

update link
set
  loss_due_at = case
    when known.is_claimed then $2::timestamptz
    when known.is_waiting then $7::timestamptz
    else $3::timestamptz
  end,
  push_due_at = case when known.is_claimed and link.push_due_at <= $3 then $2 else link.push_due_at end,
  push_leased_until = case when known.is_claimed then $2 else link.push_leased_until end,
  check_due_at = case
    when known.is_claimed or known.is_waiting then link.check_due_at
    else least(link.check_due_at, $3)
  end
from known
inner join discord_token on known.discord_user_id = discord_token.discord_user_id
inner join discord_account on known.discord_user_id = discord_account.discord_user_id
where link.discord_user_id = known.discord_user_id
returning
  link.discord_user_id,
  discord_account.username,
  link.issuer,
  link.subject,
  known.claims,
  known.sources,
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
  known.ended_at as organisation_ended_at,
  known.end_cause as organisation_end_cause,
  known.is_claimed
