-- Begins a session: stores the account as Discord names it and the session, and ends the sessions that the browser had
-- before.
-- No row comes back while the end of an earlier grant keeps the member out, because that end takes these tokens with it.
-- If an end that no longer keeps the member out succeeds later, this session ends too.
-- row: discord_user_id text
with given as not materialized (
  select
    $1::text as session_id_hash,
    $2::text as session_handle,
    $3::text as discord_user_id,
    $4::text as username,
    $5::text as global_name, -- null if the member chose none
    $6::text as access_token_sealed,
    $7::text as refresh_token_sealed,
    $8::timestamptz as token_expires_at,
    $9::text as user_agent, -- null if it says nothing useful
    $10::timestamptz as expires_at,
    $11::text as replaced_session_id_hashes, -- null if the browser had none; separated by commas
    $12::text as request_id,
    $13::timestamptz as now,
    $14::text as session_key_hash,
    $15::text as replaced_session_key_hashes -- null if the browser had none: one for each of its keys with each of its ids
),

account as (
  insert into discord_account (discord_user_id, username, global_name, created_at, updated_at)
  select given.discord_user_id, given.username, given.global_name, given.now, given.now
  from given
  where
    not exists (
      select from discord_token
      where
        discord_token.discord_user_id = given.discord_user_id
        and keeps_member_out(
          discord_token.end_reason, discord_token.end_failures, discord_token.leased_until, given.now
        )
    )
  on conflict (discord_user_id) do update
    set
      username = excluded.username,
      global_name = excluded.global_name,
      updated_at = excluded.updated_at
  returning discord_user_id
),

signed_in as (
  select
    account.discord_user_id,
    begin_session(
      session_id_hash => given.session_id_hash,
      session_key_hash => given.session_key_hash,
      session_handle => given.session_handle,
      discord_user_id => account.discord_user_id,
      access_token_sealed => given.access_token_sealed,
      refresh_token_sealed => given.refresh_token_sealed,
      token_expires_at => given.token_expires_at,
      user_agent => given.user_agent,
      expires_at => given.expires_at,
      now => given.now,
      replaced_session_id_hashes => given.replaced_session_id_hashes,
      replaced_session_key_hashes => given.replaced_session_key_hashes
    ) as expires_at
  from given
  cross join account
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, request_id)
  select given.now, 'signed_in', account.discord_user_id, given.request_id
  from given
  cross join account
)

select discord_user_id
from signed_in
where expires_at is not null
