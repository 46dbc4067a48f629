-- How many sessions that have not ended each browser has, as Janus calls it, those with most first.
-- $1 limit bigint
-- $2 idle_since timestamptz: a session last used before this has ended
-- $3 now timestamptz
-- rows: user_agent text, sessions integer
select
  session.user_agent,
  count(*)::integer as sessions
from session
where session.expires_at > $3 and session.last_used_at > $2
group by session.user_agent
order by sessions desc, session.user_agent
limit $1
