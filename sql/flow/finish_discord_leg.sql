-- Stores what the Discord leg brought: the account, its tokens, and the flow that the provider leg will take.
-- No row comes back while an earlier grant of this account is to end at Discord, because that end takes these tokens
-- with it. The end goes on with these tokens, which may work where the earlier ones do not; nothing that Janus obtained
-- is dropped. An end that has failed five times no longer keeps the member out, as in session/log_in.sql: these tokens
-- replace the ones that were to end.
-- In that case, and if an earlier role connection could not be cleared, these tokens have to clear it. Then
-- clear_due_at is set to the time when the flow is over.
-- Two codes of one state in the same millisecond name the same flow. For the same account the later one replaces the
-- earlier; for another account the flow stays as it is.
-- $1 discord_user_id text
-- $2 username text
-- $3 global_name text, null if the member chose none
-- $4 access_token_sealed text
-- $5 refresh_token_sealed text
-- $6 scope text
-- $7 expires_at timestamptz
-- $8 flow_id_hash text
-- $9 flow_expires_at timestamptz
-- $10 request_id text
-- $11 now timestamptz
-- $12 session_access_token_sealed text: for the session at the end of the flow, sealed with the member's key
-- row: discord_user_id text, has_flow boolean, clear_due_at timestamptz
with account as (
  insert into discord_account (discord_user_id, username, global_name, created_at, updated_at)
  values ($1, $2, $3, $11, $11)
  on conflict (discord_user_id) do update
    set
      username = excluded.username,
      global_name = excluded.global_name,
      updated_at = excluded.updated_at
  returning discord_user_id
),

token as (
  insert into discord_token as held (
    discord_user_id,
    access_token_sealed,
    refresh_token_sealed,
    scope,
    expires_at,
    obtained_at,
    clear_due_at
  )
  select
    account.discord_user_id,
    $4,
    $5,
    $6,
    $7,
    $11,
    -- The role connection of a link is not one that was left behind.
    case
      when
        exists (select from role_connection_left where role_connection_left.discord_user_id = $1)
        and not exists (select from link where link.discord_user_id = $1)
        then $9::timestamptz
    end
  from account
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
      clear_due_at = case
        when held.end_reason in ('moved', 'unlinked') then $9
        else coalesce(excluded.clear_due_at, held.clear_due_at)
      end,
      end_reason = null,
      end_due_at = null,
      end_failures = case when held.end_reason is null then held.end_failures else 0 end
    where
      held.end_reason is null
      or (
        (held.end_reason = 'abandoned' or held.end_failures >= 5)
        and (
          held.leased_until is null
          or held.leased_until <= $11
          or held.leased_until > $11::timestamptz + interval '15 minutes'
        )
      )
  returning discord_user_id, clear_due_at
),

-- A push that runs with the earlier tokens is over before the flow would be.
to_end as (
  update discord_token
  set
    access_token_sealed = $4,
    refresh_token_sealed = $5,
    scope = $6,
    expires_at = $7,
    obtained_at = $11,
    refresh_unanswered_since = null,
    refresh_failures = 0,
    refresh_retry_at = null,
    end_due_at = least(end_due_at, $9)
  where discord_user_id = $1 and not exists (select from token)
),

forgotten as (
  delete from role_connection_left
  using token
  where role_connection_left.discord_user_id = token.discord_user_id and token.clear_due_at = $9
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, request_id)
  select
    $11,
    'discord_authorized',
    token.discord_user_id,
    $10
  from token
),

left_flow as (
  insert into flow (flow_id_hash, discord_user_id, created_at, expires_at, session_access_token_sealed)
  select
    $8,
    token.discord_user_id,
    $11,
    $9,
    $12
  from token
  on conflict (flow_id_hash) do update
    set
      created_at = excluded.created_at,
      expires_at = excluded.expires_at,
      session_access_token_sealed = excluded.session_access_token_sealed
    where flow.discord_user_id = excluded.discord_user_id
  returning flow_id_hash
)

select
  token.discord_user_id,
  left_flow.flow_id_hash is not null as has_flow,
  case when token.clear_due_at = $9 then $9 end as clear_due_at
from token
left join left_flow on true
