-- Stores what the Discord leg brought: the account, its tokens, and the flow that the provider leg will take.
-- A banned account gets nothing stored, and is_banned says so. If its earlier grant is to end, that end goes on with these
-- tokens, and has_tokens says so.
-- No row comes back while the end of an earlier grant keeps the member out, because that end takes these tokens with it.
-- The end goes on with these tokens, which may work where the earlier ones do not; nothing that Janus obtained is
-- dropped. Once the end no longer keeps the member out, these tokens replace the ones that were to end.
-- In that case, and if an earlier role connection could not be cleared, these tokens have to clear it. Then
-- clear_due_at is set to the time when the flow is over.
-- A link whose grant Discord had ended is pushed with these tokens.
-- Two codes of one state in the same millisecond name the same flow. For the same account the later one replaces the
-- earlier; for another account the flow stays as it is.
-- row: discord_user_id text, has_flow boolean, clear_due_at timestamptz, is_banned boolean, has_tokens boolean
with given as not materialized (
  select
    $1::text as discord_user_id,
    $2::text as username,
    $3::text as global_name, -- null if the member chose none
    $4::text as access_token_sealed,
    $5::text as refresh_token_sealed,
    $6::text as scope,
    $7::timestamptz as expires_at,
    $8::text as flow_id_hash,
    $9::timestamptz as flow_expires_at,
    $10::text as request_id,
    $11::timestamptz as now,
    $12::text as session_access_token_sealed -- for the session at the end of the flow, sealed with the member's key
),

-- A ban that comes later is met by the provider leg.
barred as (
  select is_banned(given.discord_user_id, null, null, given.now) as is_banned
  from given
),

account as (
  insert into discord_account (discord_user_id, username, global_name, created_at, updated_at)
  select given.discord_user_id, given.username, given.global_name, given.now, given.now
  from given
  cross join barred
  where not barred.is_banned
  on conflict (discord_user_id) do update
    set
      username = excluded.username,
      global_name = excluded.global_name,
      updated_at = excluded.updated_at
  returning discord_user_id
),

token as (
  insert into discord_token as held (
    discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at, clear_due_at
  )
  select
    account.discord_user_id,
    given.access_token_sealed,
    given.refresh_token_sealed,
    given.scope,
    given.expires_at,
    given.now,
    -- The role connection of a link is not one that was left behind.
    case
      when
        exists (select from role_connection_left where role_connection_left.discord_user_id = given.discord_user_id)
        and not exists (select from link where link.discord_user_id = given.discord_user_id)
        then given.flow_expires_at
    end
  from given
  cross join account
  on conflict (discord_user_id) do update
    set
      access_token_sealed = excluded.access_token_sealed,
      refresh_token_sealed = excluded.refresh_token_sealed,
      scope = excluded.scope,
      expires_at = excluded.expires_at,
      obtained_at = excluded.obtained_at,
      leased_until = null,
      refresh_unanswered_since = null,
      refresh_failures = 0,
      refresh_retry_at = null,
      refresh_refusals = 0,
      ended_at = null,
      end_cause = null,
      clear_due_at = case
        when held.end_reason in ('moved', 'unlinked') then (select given.flow_expires_at from given)
        else coalesce(excluded.clear_due_at, held.clear_due_at)
      end,
      end_reason = null,
      end_due_at = null,
      end_failures = case when held.end_reason is null then held.end_failures else 0 end
    where not keeps_member_out(held.end_reason, held.end_failures, held.leased_until, excluded.obtained_at)
  returning discord_user_id, clear_due_at
),

-- A push that runs with the earlier tokens is over before the flow would be.
to_end as (
  update discord_token
  set
    access_token_sealed = given.access_token_sealed,
    refresh_token_sealed = given.refresh_token_sealed,
    scope = given.scope,
    expires_at = given.expires_at,
    obtained_at = given.now,
    refresh_unanswered_since = null,
    refresh_failures = 0,
    refresh_retry_at = null,
    refresh_refusals = 0,
    ended_at = null,
    end_cause = null,
    end_due_at = least(discord_token.end_due_at, given.flow_expires_at)
  from given, barred
  where
    discord_token.discord_user_id = given.discord_user_id
    and not exists (select from token)
    and (not barred.is_banned or discord_token.end_reason is not null)
  returning discord_token.discord_user_id
),

forgotten as (
  delete from role_connection_left
  using given, token
  where
    role_connection_left.discord_user_id = token.discord_user_id
    and token.clear_due_at = given.flow_expires_at
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, request_id)
  select given.now, 'discord_authorized', token.discord_user_id, given.request_id
  from given
  cross join token
  union all
  select given.now, 'ban_met', given.discord_user_id, given.request_id
  from given
  cross join barred
  where barred.is_banned
),

left_flow as (
  insert into flow (flow_id_hash, discord_user_id, created_at, expires_at, session_access_token_sealed)
  select
    given.flow_id_hash, token.discord_user_id, given.now, given.flow_expires_at, given.session_access_token_sealed
  from given
  cross join token
  on conflict (flow_id_hash) do update
    set
      created_at = excluded.created_at,
      expires_at = excluded.expires_at,
      session_access_token_sealed = excluded.session_access_token_sealed
    where flow.discord_user_id = excluded.discord_user_id
  returning flow_id_hash
),

-- The part of the statement that reads sees the row as it was before. It waits for the flow, so the order of
-- docs/decisions/0028 holds.
revived as (
  update link
  set push_due_at = given.now
  from given
  cross join token
  cross join (select count(*) as flows from left_flow) as flow_left
  where
    link.discord_user_id = token.discord_user_id
    and flow_left.flows >= 0
    and exists (
      select from discord_token
      where discord_token.discord_user_id = given.discord_user_id and discord_token.ended_at is not null
    )
)

select
  given.discord_user_id,
  left_flow.flow_id_hash is not null as has_flow,
  case when token.clear_due_at = given.flow_expires_at then given.flow_expires_at end as clear_due_at,
  barred.is_banned,
  exists (select from to_end) as has_tokens
from given
cross join barred
left join token on true
left join left_flow on true
where token.discord_user_id is not null or barred.is_banned
