-- A session that has not ended, with the account at Discord. An id without its key finds no row, like an unknown id. A
-- session that an earlier release began has no hash of its key: for that one, only opening the token shows whether the key
-- is right.
-- $1 session_id_hash text
-- $2 idle_since timestamptz: a session last used before this has ended
-- $3 now timestamptz
-- $4 session_key_hashes text: of the keys that the browser sent, separated by commas
-- row: session_id_hash text, session_handle text, discord_user_id text, access_token_sealed text, refresh_token_sealed text,
-- row: token_expires_at timestamptz, last_used_at timestamptz, refreshed_at timestamptz, username text, global_name text,
-- row: linked_at timestamptz
select
  session.session_id_hash,
  session.session_handle,
  session.discord_user_id,
  session.access_token_sealed,
  session.refresh_token_sealed,
  session.token_expires_at,
  session.last_used_at,
  session.refreshed_at,
  discord_account.username,
  discord_account.global_name,
  link.linked_at
from session
inner join discord_account on session.discord_user_id = discord_account.discord_user_id
left join link on session.discord_user_id = link.discord_user_id
where
  session.session_id_hash = $1
  and (session.session_key_hash is null or session.session_key_hash = any(string_to_array($4, ',')))
  and session.expires_at > $3
  and session.last_used_at > $2
