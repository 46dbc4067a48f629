-- Begins a session: stores the account as Discord names it and the session, and ends the sessions that the browser had
-- before.
-- No row comes back while a grant of this account is to end at Discord, because that end takes these tokens with it. An
-- abandoned grant is kept for the session, unless its end has begun. An end that has failed five times keeps nobody
-- out, as in flow/finish_discord_leg.sql, except while it is being tried; if it succeeds later, this session ends too.
-- A lease beyond what a correct clock can write is over.
-- $1 session_id_hash text
-- $2 session_handle text
-- $3 discord_user_id text
-- $4 username text
-- $5 global_name text, null if the member chose none
-- $6 access_token_sealed text
-- $7 refresh_token_sealed text
-- $8 token_expires_at timestamptz
-- $9 user_agent text, null if it says nothing useful
-- $10 expires_at timestamptz
-- $11 replaced_session_id_hashes text, null if the browser had none; separated by commas
-- $12 request_id text
-- $13 now timestamptz
-- $14 session_key_hash text
-- $15 replaced_session_key_hashes text, null if the browser had none: one for each of its keys with each of its ids
-- row: discord_user_id text
with account as (
  insert into discord_account (discord_user_id, username, global_name, created_at, updated_at)
  select
    $3,
    $4,
    $5,
    $13,
    $13
  where
    not exists (
      select from discord_token
      where
        discord_user_id = $3
        and (
          (end_reason in ('moved', 'unlinked') and end_failures < 5)
          or (
            end_reason is not null
            and leased_until > $13
            and leased_until <= $13::timestamptz + interval '15 minutes'
          )
        )
    )
  on conflict (discord_user_id) do update
    set
      username = excluded.username,
      global_name = excluded.global_name,
      updated_at = excluded.updated_at
  returning discord_user_id
),

-- In the order of docs/decisions/0028.
locked_sessions as (
  select session.session_id_hash
  from account
  cross join session
  where
    session.session_id_hash = any(string_to_array($11, ','))
    and session.session_key_hash = any(string_to_array($15, ','))
  order by session.session_id_hash
  for update of session
),

replaced as (
  delete from session
  using locked_sessions
  where session.session_id_hash = locked_sessions.session_id_hash
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, request_id)
  select
    $13,
    'signed_in',
    account.discord_user_id,
    $12
  from account
)

insert into session (
  session_id_hash,
  session_key_hash,
  session_handle,
  discord_user_id,
  access_token_sealed,
  refresh_token_sealed,
  token_expires_at,
  user_agent,
  created_at,
  last_used_at,
  expires_at
)
select
  $1,
  $14,
  $2,
  account.discord_user_id,
  $6,
  $7,
  $8,
  $9,
  $13,
  $13,
  $10
from account
returning discord_user_id
