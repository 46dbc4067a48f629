-- Sessions that have not ended, of every member or of one, in the order of their handles: one page.
-- $1 member text, null for every member
-- $2 after text: the last session_handle of the page before, or '' for the first page
-- $3 limit bigint
-- $4 idle_since timestamptz: a session last used before this has ended
-- $5 now timestamptz
-- rows: discord_user_id text, username text, session_handle text, user_agent text, created_at timestamptz,
-- rows: last_used_at timestamptz, expires_at timestamptz
select
  session.discord_user_id,
  discord_account.username,
  session.session_handle,
  session.user_agent,
  session.created_at,
  session.last_used_at,
  session.expires_at
from session
inner join discord_account on session.discord_user_id = discord_account.discord_user_id
where
  session.session_handle > $2
  and ($1::text is null or session.discord_user_id = $1)
  and session.expires_at > $5
  and session.last_used_at > $4
order by session.session_handle
limit $3
