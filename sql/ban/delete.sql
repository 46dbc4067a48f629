-- Lifts the ban of one account, and says so in the trail. One that has ended is removed as well, and counts for nothing.
-- row: lifted integer
with given as not materialized (
  select
    $1::text as discord_user_id, -- null for an account at the provider
    $2::text as issuer, -- null for an account at Discord
    $3::text as subject, -- null for an account at Discord
    $4::text as operator,
    $5::text as request_id,
    $6::timestamptz as now
),

removed as (
  delete from ban
  using given
  where
    ban.discord_user_id = given.discord_user_id
    or (ban.issuer = given.issuer and ban.subject = given.subject)
  returning ban.discord_user_id, ban.issuer, ban.subject, ban.expires_at
),

lifted as (
  select removed.discord_user_id, removed.issuer, removed.subject
  from given
  cross join removed
  where removed.expires_at is null or removed.expires_at > given.now
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, operator)
  select
    given.now, 'ban_lifted', lifted.discord_user_id, lifted.issuer, lifted.subject, given.request_id, given.operator
  from given
  cross join lifted
)

select count(*)::integer as lifted
from lifted
