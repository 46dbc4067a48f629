-- Records what a check found, and frees its lease: the claims, when they are read next, and whether Discord is to be told.
-- A loss is due by itself, since the brake may hold it. A push that is due stays due. If the member has signed in or
-- undone the link in the meantime, nothing is recorded.
-- row: discord_user_id text
with given as not materialized (
  select
    $1::text as discord_user_id,
    $2::timestamptz as leased_until,
    $3::text as issuer,
    $4::text as subject,
    $5::jsonb as claims, -- null if the provider said nothing
    $6::jsonb as sources, -- null if no source said anything
    $7::timestamptz as check_due_at,
    $8::boolean as is_push_due,
    $9::boolean as is_loss,
    $10::boolean as is_reconciled, -- whether Discord said what it has
    $11::boolean as is_disconnected, -- whether that was nothing
    $12::boolean as is_drifted, -- whether that was something else than it was told
    $13::timestamptz as now,
    $14::boolean as is_gone, -- whether a SCIM client says that the membership has ended
    $15::boolean as is_granted -- whether the grant at Discord lives
),

locked_account as (
  select
    organisation_account.issuer,
    organisation_account.subject,
    organisation_account.claims,
    organisation_account.sources
  from given
  inner join organisation_account
    on given.issuer = organisation_account.issuer and given.subject = organisation_account.subject
  for no key update of organisation_account
),

-- A logout is settled ten minutes after it came. If the refresh token works then, it has outlived the provider's session,
-- and its end will be a dismissal.
settling as (
  select organisation_token.logged_out_at + interval '10 minutes' as settled_at
  from given
  inner join organisation_token
    on given.issuer = organisation_token.issuer and given.subject = organisation_token.subject
  where
    organisation_token.logged_out_at + interval '10 minutes' > given.now
    and organisation_token.ended_at is null
),

checked as (
  update link
  set
    -- What became due in the meantime stays due.
    check_due_at = least(
      given.check_due_at,
      (select settling.settled_at from settling),
      case when link.check_due_at <> given.leased_until then link.check_due_at end
    ),
    check_leased_until = null,
    check_failures = 0,
    check_failed_code = null,
    -- A push that failed stays put off. One that runs at this moment knows what was due, unless the claims are new.
    push_due_at = case
      when not given.is_push_due then link.push_due_at
      when link.push_due_at is null then given.now
      when is_leased(link.push_leased_until, given.now)
        and (locked_account.claims <> given.claims or locked_account.sources <> given.sources) then given.now
      else link.push_due_at
    end,
    -- An end of the membership that came during the check takes the role, whatever the claims say. If the grant at Discord
    -- is over, nobody can be told, and a loss would only count for the brake.
    loss_found_at = case
      when given.is_loss then coalesce(link.loss_found_at, given.now)
      when link.gone_at is not null and link.cleared_at is null and given.is_granted then link.loss_found_at
    end,
    loss_due_at = case
      when given.is_loss then coalesce(link.loss_due_at, given.now)
      when link.gone_at is not null and link.cleared_at is null and given.is_granted then link.loss_due_at
    end,
    -- Tries to tell a loss that is none any more count for nothing.
    push_failures = case
      when not given.is_loss and link.loss_due_at is not null and link.push_due_at is null then 0
      else link.push_failures
    end,
    push_failed_code = case
      when not given.is_loss and link.loss_due_at is not null and link.push_due_at is null then null
      else link.push_failed_code
    end,
    reconciled_at = case when given.is_reconciled then given.now else link.reconciled_at end,
    disconnected_at = case
      when given.is_disconnected then coalesce(link.disconnected_at, given.now)
      when not given.is_reconciled then link.disconnected_at
    end,
    drift_found_at = case
      when given.is_drifted then coalesce(link.drift_found_at, given.now)
      when not given.is_reconciled then link.drift_found_at
    end,
    gone_at = case when given.is_gone then coalesce(link.gone_at, given.now) else link.gone_at end,
    gone_source = case when given.is_gone then coalesce(link.gone_source, 'scim') else link.gone_source end
  from given, locked_account
  where
    link.discord_user_id = given.discord_user_id
    and link.check_leased_until = given.leased_until
    and (select count(*) from locked_account) >= 0
  returning
    link.discord_user_id,
    link.issuer,
    link.subject,
    given.is_disconnected and link.disconnected_at = given.now as is_newly_disconnected,
    given.is_gone and link.gone_at = given.now as is_newly_gone
),

seen as (
  update organisation_account
  set
    claims = coalesce(given.claims, organisation_account.claims),
    sources = coalesce(given.sources, organisation_account.sources),
    claims_seen_at = case when given.claims is null then organisation_account.claims_seen_at else given.now end
  from given, checked
  where
    organisation_account.issuer = checked.issuer
    and organisation_account.subject = checked.subject
    and (given.claims is not null or given.sources is not null)
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, detail)
  select given.now, 'disconnected', checked.discord_user_id, checked.issuer, checked.subject, null
  from given
  cross join checked
  where checked.is_newly_disconnected
  union all
  select
    given.now, 'membership_ended', checked.discord_user_id, checked.issuer, checked.subject, '{"source": "scim"}'::jsonb
  from given
  cross join checked
  where checked.is_newly_gone
)

select checked.discord_user_id
from checked
