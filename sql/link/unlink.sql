-- Undoes a member's link. The link, its claims, and the member's sessions and flows go at once, and so do sign-ins of the
-- same account to the page of administrators: nobody reads its claims any more. The grants at Discord
-- and at the provider stay, sealed, and are due to end; nothing else uses them.
-- While another process refreshes the grant or pushes with it, the end waits. Otherwise the refresh could bring a pair
-- that nobody ends, and the push a role connection after it was cleared. is_in_use says that the end waits.
-- No row comes back if no link exists, or none that is asked for.
-- row: discord_user_id text, issuer text, subject text, access_token_sealed text, refresh_token_sealed text, expires_at timestamptz,
-- row: scope text, is_in_use boolean, organisation_access_token_sealed text, organisation_refresh_token_sealed text,
-- row: replaced_tokens jsonb
with given as not materialized (
  select
    $1::text as discord_user_id,
    $2::text as request_id, -- null for a command, and for upkeep
    $3::timestamptz as now,
    $4::timestamptz as leased_until, -- until then no other process ends the grants
    $5::boolean as only_banned, -- whether the link ends only if one of its accounts is banned
    $6::text as operator, -- null if no operator asked for it
    $7::jsonb as detail -- null without a reason
),

asked as (
  select link.discord_user_id, link.issuer, link.subject
  from given
  inner join link on given.discord_user_id = link.discord_user_id
  where not given.only_banned or is_banned(link.discord_user_id, link.issuer, link.subject, given.now)
),

-- Locks every row that goes or changes, in the order of docs/decisions/0028. Each step counts the rows of the one before,
-- which makes it wait. A join alone would not: if its other side is empty, the executor need not read that step.
-- A locked row is read as it is now, not as it was when the statement began.
locked_token as (
  select
    discord_token.discord_user_id,
    discord_token.access_token_sealed,
    discord_token.refresh_token_sealed,
    discord_token.expires_at,
    discord_token.scope,
    discord_token.leased_until
  from asked
  inner join discord_token on asked.discord_user_id = discord_token.discord_user_id
  for no key update of discord_token
),

locked_flows as (
  select flow.flow_id_hash
  from locked_token
  cross join asked
  inner join flow
    on
      asked.discord_user_id = flow.discord_user_id
      or (asked.issuer = flow.issuer and asked.subject = flow.subject)
  where (select count(*) from locked_token) >= 0
  order by flow.flow_id_hash
  for update of flow
),

locked_account as (
  select organisation_account.issuer, organisation_account.subject
  from asked
  inner join organisation_account
    on asked.issuer = organisation_account.issuer and asked.subject = organisation_account.subject
  where (select count(*) from locked_flows) >= 0
  for no key update of organisation_account
),

locked_organisation_token as (
  select organisation_token.issuer
  from locked_account
  inner join organisation_token
    on locked_account.issuer = organisation_token.issuer and locked_account.subject = organisation_token.subject
  where (select count(*) from locked_account) >= 0
  for no key update of organisation_token
),

locked_link as (
  select link.discord_user_id
  from asked
  inner join link on asked.discord_user_id = link.discord_user_id
  where (select count(*) from locked_organisation_token) >= 0
  for update of link
),

locked_sessions as (
  select session.session_id_hash
  from locked_link
  inner join session on locked_link.discord_user_id = session.discord_user_id
  where (select count(*) from locked_link) >= 0
  order by session.session_id_hash
  for update of session
),

locked_admin_sessions as (
  select admin_session.session_id_hash
  from asked
  inner join admin_session on asked.issuer = admin_session.issuer and asked.subject = admin_session.subject
  where (select count(*) from locked_sessions) >= 0
  order by admin_session.session_id_hash
  for update of admin_session
),

removed as (
  delete from link
  using asked
  where link.discord_user_id = asked.discord_user_id and (select count(*) from locked_admin_sessions) >= 0
  returning link.discord_user_id, link.issuer, link.subject, link.push_leased_until
),

ended as (
  update discord_token
  set
    end_reason = 'unlinked',
    end_failures = 0,
    end_due_at = greatest(given.now, locked_token.leased_until, removed.push_leased_until),
    leased_until = case
      when greatest(locked_token.leased_until, removed.push_leased_until) > given.now then locked_token.leased_until
      else given.leased_until
    end
  from given, locked_token, removed
  where discord_token.discord_user_id = removed.discord_user_id
  returning discord_token.end_due_at
),

ended_at_provider as (
  update organisation_token
  set
    end_due_at = given.now,
    end_failures = 0,
    leased_until = given.leased_until
  from given, removed
  where organisation_token.issuer = removed.issuer and organisation_token.subject = removed.subject
  returning
    organisation_token.access_token_sealed,
    organisation_token.refresh_token_sealed,
    organisation_token.replaced_tokens
),

forgotten as (
  update organisation_account
  set
    claims = '{}',
    sources = '{}'
  from removed
  where organisation_account.issuer = removed.issuer and organisation_account.subject = removed.subject
),

signed_out as (
  delete from session
  using removed
  where session.discord_user_id = removed.discord_user_id
),

admin_signed_out as (
  delete from admin_session
  using removed
  where admin_session.issuer = removed.issuer and admin_session.subject = removed.subject
),

stopped as (
  delete from flow
  using removed
  where
    flow.discord_user_id = removed.discord_user_id
    or (flow.issuer = removed.issuer and flow.subject = removed.subject)
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, operator, detail)
  select
    given.now,
    'unlinked',
    removed.discord_user_id,
    removed.issuer,
    removed.subject,
    given.request_id,
    given.operator,
    given.detail
  from given
  cross join removed
)

select
  removed.discord_user_id,
  removed.issuer,
  removed.subject,
  locked_token.access_token_sealed,
  locked_token.refresh_token_sealed,
  locked_token.expires_at,
  locked_token.scope,
  ended.end_due_at > given.now as is_in_use,
  ended_at_provider.access_token_sealed as organisation_access_token_sealed,
  ended_at_provider.refresh_token_sealed as organisation_refresh_token_sealed,
  ended_at_provider.replaced_tokens
from given
cross join removed
cross join locked_token
cross join ended
left join ended_at_provider on true
