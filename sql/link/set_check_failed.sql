-- Records that a check failed, and why, and frees its lease. With an end_cause the grant at the provider has ended: its
-- refresh token is not sent again. If the member has signed in or undone the link in the meantime, nothing is recorded.
-- row: discord_user_id text
with given as not materialized (
  select
    $1::text as discord_user_id,
    $2::timestamptz as leased_until,
    $3::text as issuer,
    $4::text as subject,
    $5::text as refresh_token_sealed, -- null if there was none; otherwise as it was claimed
    $6::text as code,
    $7::timestamptz as check_due_at,
    $8::boolean as is_unspent, -- the provider did not take the refresh token, and no earlier refresh is unanswered
    $9::boolean as is_refused, -- it answered invalid_request
    $10::text as end_cause, -- null if the grant lives on
    $11::timestamptz as now
),

locked_token as (
  select organisation_token.issuer, organisation_token.subject
  from given
  inner join organisation_token
    on given.issuer = organisation_token.issuer and given.subject = organisation_token.subject
  where organisation_token.refresh_token_sealed = given.refresh_token_sealed
  for no key update of organisation_token
),

failed as (
  update link
  set
    -- What became due in the meantime stays due.
    check_due_at = case
      when link.check_due_at = given.leased_until then given.check_due_at
      else least(link.check_due_at, given.check_due_at)
    end,
    check_leased_until = null,
    check_failures = case when given.end_cause is null then link.check_failures + 1 else 0 end,
    check_failed_code = given.code
  from given
  where
    link.discord_user_id = given.discord_user_id
    and link.check_leased_until = given.leased_until
    and (select count(*) from locked_token) >= 0
  returning link.discord_user_id, link.issuer, link.subject
),

-- The row is locked already.
answered as (
  update organisation_token
  set
    refresh_unanswered_since = case
      when not given.is_unspent and given.end_cause is null then organisation_token.refresh_unanswered_since
    end,
    refresh_refusals = case when given.is_refused then organisation_token.refresh_refusals + 1 else 0 end,
    ended_at = case when given.end_cause is not null then given.now end,
    -- A refresh token that ends with the provider's session says nothing of the membership. Providers tell of a logout
    -- before they end the tokens, so one that was renewed in between ends too.
    end_cause = case
      when given.end_cause is not null
        and organisation_token.obtained_at < organisation_token.logged_out_at + interval '10 minutes'
        then 'logged_out'
      else given.end_cause
    end
  from given, locked_token, failed
  where
    organisation_token.issuer = locked_token.issuer
    and organisation_token.subject = locked_token.subject
    and organisation_token.ended_at is null
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, detail)
  select
    given.now,
    'provider_grant_refused',
    failed.discord_user_id,
    failed.issuer,
    failed.subject,
    jsonb_build_object('cause', given.end_cause)
  from given
  cross join failed
  where given.end_cause is not null
)

select failed.discord_user_id
from failed
