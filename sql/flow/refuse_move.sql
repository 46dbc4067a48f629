-- Takes the flow of a move that the member confirmed although the rules no longer admit them, or a ban has come. No link
-- changes, and the Discord grant ends soon, unless the member needs it for something else. The provider's tokens are with
-- their account, and end as those of a question that was never answered.
-- No row comes back if the flow does not exist, if the grant is to end, or if only a ban counts and none has come.
-- row: flow_id_hash text, discord_user_id text
with given as not materialized (
  select
    $1::text as flow_id_hash,
    $2::text as request_id,
    $3::timestamptz as now,
    $4::boolean as only_banned
),

locked_token as (
  select discord_token.discord_user_id, discord_token.end_reason
  from given
  inner join flow on given.flow_id_hash = flow.flow_id_hash
  inner join discord_token on flow.discord_user_id = discord_token.discord_user_id
  for no key update of discord_token
),

taken as (
  delete from flow
  using given, locked_token
  where
    flow.flow_id_hash = given.flow_id_hash
    and flow.issuer is not null
    and flow.expires_at > given.now
    and locked_token.end_reason is null
    and (
      not given.only_banned
      or is_banned(flow.discord_user_id, flow.issuer, flow.subject, given.now)
      or exists (
        select from organisation_account
        where
          organisation_account.issuer = flow.issuer
          and organisation_account.subject = flow.subject
          and is_banned(
            null, flow.issuer || '#preferred_username', organisation_account.claims ->> 'preferred_username', given.now
          )
      )
    )
  returning flow.discord_user_id, flow.issuer, flow.subject
),

abandoned as (
  select abandon_grant(taken.discord_user_id, given.now) as is_abandoned
  from given
  cross join taken
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
  select
    given.now, case when given.only_banned then 'ban_met' else 'not_admitted' end, taken.discord_user_id, taken.issuer,
    taken.subject, given.request_id
  from given
  cross join taken
)

select
  given.flow_id_hash,
  taken.discord_user_id
from given
cross join taken
left join abandoned on true
