-- Records that a check failed, and why, and frees its lease. With an end_cause the grant at the provider has ended: its
-- refresh token is not sent again. What a SCIM client says holds nevertheless, and what Discord is to be told of that is
-- due. If the member has signed in or undone the link in the meantime, nothing is recorded.
-- row: discord_user_id text
with given as not materialized (
  select
    $1::text as discord_user_id,
    $2::timestamptz as leased_until,
    $3::text as issuer,
    $4::text as subject,
    $5::text as refresh_token_sealed, -- null if there was none, or it waits; otherwise as it was claimed
    $6::text as code, -- null if nothing was asked for: then what is known of the failures before stays
    $7::timestamptz as check_due_at,
    $8::boolean as is_unspent, -- the provider did not take the refresh token, and no earlier refresh is unanswered
    $9::boolean as is_refused, -- it answered invalid_request
    $10::text as end_cause, -- null if the grant lives on
    $11::timestamptz as now,
    $12::jsonb as sources, -- null if no source said anything
    $13::boolean as is_gone, -- whether a SCIM client says that the membership has ended
    $14::boolean as is_push_due,
    $15::boolean as is_loss,
    $16::boolean as is_granted, -- whether the grant at Discord lives; otherwise a loss would only count for the brake
    $17::timestamptz as refresh_retry_at -- null if the refresh token may be sent again
),

locked_account as (
  select organisation_account.issuer, organisation_account.subject
  from given
  inner join organisation_account
    on given.issuer = organisation_account.issuer and given.subject = organisation_account.subject
  where given.sources is not null
  for no key update of organisation_account
),

locked_token as (
  select organisation_token.issuer, organisation_token.subject
  from given
  inner join organisation_token
    on given.issuer = organisation_token.issuer and given.subject = organisation_token.subject
  where
    organisation_token.refresh_token_sealed = given.refresh_token_sealed
    and (select count(*) from locked_account) >= 0
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
    check_failures = case
      when given.end_cause is not null then 0
      when given.code is null then link.check_failures
      else link.check_failures + 1
    end,
    check_failed_code = coalesce(given.code, link.check_failed_code),
    push_due_at = case
      when not given.is_push_due then link.push_due_at
      when link.push_due_at is null or is_leased(link.push_leased_until, given.now) then given.now
      else link.push_due_at
    end,
    loss_found_at = case
      when given.is_loss then coalesce(link.loss_found_at, given.now)
      when given.is_granted then link.loss_found_at
    end,
    loss_due_at = case
      when given.is_loss then coalesce(link.loss_due_at, given.now)
      when given.is_granted then link.loss_due_at
    end,
    gone_at = case when given.is_gone then coalesce(link.gone_at, given.now) else link.gone_at end,
    gone_source = case when given.is_gone then coalesce(link.gone_source, 'scim') else link.gone_source end
  from given
  where
    link.discord_user_id = given.discord_user_id
    and link.check_leased_until = given.leased_until
    and (select count(*) from locked_token) >= 0
  returning
    link.discord_user_id,
    link.issuer,
    link.subject,
    given.is_gone and link.gone_at = given.now as is_newly_gone
),

-- The row is locked already.
heard as (
  update organisation_account
  set sources = given.sources
  from given, locked_account, failed
  where
    organisation_account.issuer = locked_account.issuer
    and organisation_account.subject = locked_account.subject
),

-- The row is locked already.
answered as (
  update organisation_token
  set
    refresh_unanswered_since = case
      when not given.is_unspent and given.end_cause is null then organisation_token.refresh_unanswered_since
    end,
    refresh_refusals = case when given.is_refused then organisation_token.refresh_refusals + 1 else 0 end,
    -- A wait that an earlier answer asked for goes on.
    refresh_retry_at = greatest(
      given.refresh_retry_at, refresh_put_off_until(organisation_token.refresh_retry_at, 0, false, given.now)
    ),
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
  union all
  select
    given.now, 'membership_ended', failed.discord_user_id, failed.issuer, failed.subject, '{"source": "scim"}'::jsonb
  from given
  cross join failed
  where failed.is_newly_gone
)

select failed.discord_user_id
from failed
