-- What operators and administrators have done with a member's link, the newest first. What was done more than once within an
-- hour comes once, with its last time: whoever helps a member looks at their link many times.
-- $1 discord_user_id text
-- $2 since timestamptz
-- $3 limit bigint
-- rows: discord_user_id text, occurred_at timestamptz, action text
select
  discord_user_id,
  max(occurred_at) as occurred_at,
  action
from audit_event
where
  discord_user_id = $1
  and occurred_at > $2
  and operator is not null
  and action in ('looked_at', 'sync_asked', 'sessions_purged', 'unlinked', 'imported', 'adopted')
group by discord_user_id, action, date_trunc('hour', occurred_at)
order by max(audit_event_id) desc
limit $3
