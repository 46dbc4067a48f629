-- A member's sessions that have not ended, last used first.
-- $1 discord_user_id text
-- $2 idle_since timestamptz
-- $3 now timestamptz
-- rows: discord_user_id text, session_handle text, user_agent text, has_refresh_token boolean, created_at timestamptz,
-- rows: last_used_at timestamptz, expires_at timestamptz
select
  discord_user_id,
  session_handle,
  user_agent,
  refresh_token_sealed is not null as has_refresh_token,
  created_at,
  last_used_at,
  expires_at
from session
where discord_user_id = $1 and expires_at > $3 and last_used_at > $2
order by last_used_at desc, session_handle
limit 10000
