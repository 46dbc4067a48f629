-- Records what checks found, and frees their leases: the claims, when they are read next, and whether Discord is to be told.
-- A loss is due by itself, since the brake may hold it. A push that is due stays due. If a member has signed in or
-- undone the link in the meantime, nothing is recorded of it.
-- rows: discord_user_id text
with given as not materialized (
  select
    $1::jsonb as checks, -- a list of {discord_user_id, leased_until, issuer, subject, claims, and so on}
    $2::timestamptz as now
),

found as materialized (
  select
    item.discord_user_id,
    item.leased_until,
    item.issuer,
    item.subject,
    item.claims,
    item.sources,
    item.check_due_at,
    item.is_push_due,
    item.is_loss,
    item.is_reconciled,
    item.is_disconnected,
    item.is_drifted,
    item.is_gone,
    item.is_granted,
    given.now
  from given
  cross join jsonb_to_recordset(given.checks) as item (
    discord_user_id text,
    leased_until timestamptz,
    issuer text,
    subject text,
    claims jsonb, -- null if the provider said nothing
    sources jsonb, -- null if no source said anything
    check_due_at timestamptz,
    is_push_due boolean,
    is_loss boolean,
    is_reconciled boolean, -- whether Discord said what it has
    is_disconnected boolean, -- whether that was nothing
    is_drifted boolean, -- whether that was something else than it was told
    is_gone boolean, -- whether a SCIM client says that the membership has ended
    is_granted boolean -- whether the grant at Discord lives
  )
  -- So PostgreSQL expects few rows, and goes by indexes. docs/decisions/0043
  limit (select jsonb_array_length(given.checks) from given)
),

-- In the order of docs/decisions/0028.
locked_account as (
  select
    found.discord_user_id,
    organisation_account.claims,
    organisation_account.sources
  from found
  inner join organisation_account
    on found.issuer = organisation_account.issuer and found.subject = organisation_account.subject
  order by organisation_account.issuer, organisation_account.subject
  for no key update of organisation_account
),

locked_link as (
  select link.discord_user_id
  from found
  inner join link on found.discord_user_id = link.discord_user_id
  where link.check_leased_until = found.leased_until and (select count(*) from locked_account) >= 0
  order by link.discord_user_id
  for no key update of link
),

checked as (
  update link
  set
    -- What became due in the meantime stays due.
    check_due_at = least(
      found.check_due_at,
      -- A logout is settled ten minutes after it came. If the refresh token works then, it has outlived the provider's
      -- session, and its end will be a dismissal.
      (
        select organisation_token.logged_out_at + interval '10 minutes'
        from organisation_token
        where
          organisation_token.issuer = found.issuer
          and organisation_token.subject = found.subject
          and organisation_token.logged_out_at + interval '10 minutes' > found.now
          and organisation_token.ended_at is null
      ),
      case when link.check_due_at <> found.leased_until then link.check_due_at end
    ),
    check_leased_until = null,
    check_failures = 0,
    check_failed_code = null,
    -- A push that failed stays put off. One that runs at this moment knows what was due, unless the claims are new.
    push_due_at = case
      when not found.is_push_due then link.push_due_at
      when link.push_due_at is null then found.now
      when is_leased(link.push_leased_until, found.now)
        and (locked_account.claims <> found.claims or locked_account.sources <> found.sources) then found.now
      else link.push_due_at
    end,
    -- An end of the membership that came during the check takes the role, whatever the claims say. If the grant at Discord
    -- is over, nobody can be told, and a loss would only count for the brake.
    loss_found_at = case
      when found.is_loss then coalesce(link.loss_found_at, found.now)
      when link.gone_at is not null and link.cleared_at is null and found.is_granted then link.loss_found_at
    end,
    loss_due_at = case
      when found.is_loss then coalesce(link.loss_due_at, found.now)
      when link.gone_at is not null and link.cleared_at is null and found.is_granted then link.loss_due_at
    end,
    -- Tries to tell a loss that is none any more count for nothing.
    push_failures = case
      when not found.is_loss and link.loss_due_at is not null and link.push_due_at is null then 0
      else link.push_failures
    end,
    push_failed_code = case
      when not found.is_loss and link.loss_due_at is not null and link.push_due_at is null then null
      else link.push_failed_code
    end,
    reconciled_at = case when found.is_reconciled then found.now else link.reconciled_at end,
    disconnected_at = case
      when found.is_disconnected then coalesce(link.disconnected_at, found.now)
      when not found.is_reconciled then link.disconnected_at
    end,
    drift_found_at = case
      when found.is_drifted then coalesce(link.drift_found_at, found.now)
      when not found.is_reconciled then link.drift_found_at
    end,
    gone_at = case when found.is_gone then coalesce(link.gone_at, found.now) else link.gone_at end,
    gone_source = case when found.is_gone then coalesce(link.gone_source, 'scim') else link.gone_source end
  from found
  inner join locked_account on found.discord_user_id = locked_account.discord_user_id
  where
    link.discord_user_id = found.discord_user_id
    and link.check_leased_until = found.leased_until
    and (select count(*) from locked_link) >= 0
  returning
    link.discord_user_id,
    link.issuer,
    link.subject,
    found.is_disconnected and link.disconnected_at = found.now as is_newly_disconnected,
    found.is_gone and link.gone_at = found.now as is_newly_gone
),

seen as (
  update organisation_account
  set
    claims = coalesce(found.claims, organisation_account.claims),
    sources = coalesce(found.sources, organisation_account.sources),
    claims_seen_at = case when found.claims is null then organisation_account.claims_seen_at else found.now end
  from found
  inner join checked on found.discord_user_id = checked.discord_user_id
  where
    organisation_account.issuer = checked.issuer
    and organisation_account.subject = checked.subject
    and (found.claims is not null or found.sources is not null)
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, detail)
  select found.now, 'disconnected', checked.discord_user_id, checked.issuer, checked.subject, null
  from found
  inner join checked on found.discord_user_id = checked.discord_user_id
  where checked.is_newly_disconnected
  union all
  select
    found.now, 'membership_ended', checked.discord_user_id, checked.issuer, checked.subject, '{"source": "scim"}'::jsonb
  from found
  inner join checked on found.discord_user_id = checked.discord_user_id
  where checked.is_newly_gone
)

select checked.discord_user_id
from checked
