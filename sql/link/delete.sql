-- Undoes a member's link: the link, its claims, the member's sessions and flows go at once. What is left is sealed, can
-- act for nobody but to end itself, and is due to end: the grant at Discord and the grant at the provider.
-- No row comes back if there is no link.
-- $1 discord_user_id text
-- $2 request_id text
-- $3 now timestamptz
-- $4 leased_until timestamptz: when another process may end what is left, should this one die
-- row: issuer text, subject text, access_token_sealed text, refresh_token_sealed text, expires_at timestamptz,
-- row: organisation_access_token_sealed text, organisation_refresh_token_sealed text
with removed as (
  delete from link
  where discord_user_id = $1
  returning discord_user_id, issuer, subject
),

ended as (
  update discord_token
  set
    end_reason = 'unlinked',
    end_due_at = $3,
    leased_until = $4
  from removed
  where discord_token.discord_user_id = removed.discord_user_id
  returning discord_token.access_token_sealed, discord_token.refresh_token_sealed, discord_token.expires_at
),

ended_at_provider as (
  update organisation_token
  set
    end_due_at = $3,
    leased_until = $4
  from removed
  where organisation_token.issuer = removed.issuer and organisation_token.subject = removed.subject
  returning
    organisation_token.access_token_sealed as organisation_access_token_sealed,
    organisation_token.refresh_token_sealed as organisation_refresh_token_sealed
),

forgotten as (
  update organisation_account
  set claims = '{}'
  from removed
  where organisation_account.issuer = removed.issuer and organisation_account.subject = removed.subject
),

signed_out as (
  delete from session
  using removed
  where session.discord_user_id = removed.discord_user_id
),

stopped as (
  delete from flow
  using removed
  where
    flow.discord_user_id = removed.discord_user_id
    or (flow.issuer = removed.issuer and flow.subject = removed.subject)
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
  select
    $3,
    'unlinked',
    removed.discord_user_id,
    removed.issuer,
    removed.subject,
    $2
  from removed
)

select
  removed.issuer,
  removed.subject,
  ended.access_token_sealed,
  ended.refresh_token_sealed,
  ended.expires_at,
  ended_at_provider.organisation_access_token_sealed,
  ended_at_provider.organisation_refresh_token_sealed
from removed
inner join ended on true
left join ended_at_provider on true
