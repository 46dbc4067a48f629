-- What operators and administrators have done with a member's link, the newest first. The order is the one in which the
-- database stored the events.
-- $1 discord_user_id text
-- $2 since timestamptz
-- $3 limit bigint
-- rows: discord_user_id text, occurred_at timestamptz, action text
select
  discord_user_id,
  occurred_at,
  action
from audit_event
where
  discord_user_id = $1
  and occurred_at > $2
  and operator is not null
  and action in ('looked_at', 'sync_asked', 'sessions_purged', 'unlinked', 'imported', 'adopted')
order by audit_event_id desc
limit $3
