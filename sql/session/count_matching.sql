-- How many sessions delete_matching.sql would end.
-- $1 discord_user_id text, null for every member
-- $2 used_before timestamptz, null for each session
-- row: sessions integer
select count(*)::integer as sessions
from session
where
  ($1::text is null or session.discord_user_id = $1)
  and ($2::timestamptz is null or session.last_used_at < $2)
