-- What other servers have told Janus of a member, the newest first. The order is the one in which the database stored the
-- events.
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
  and action in ('deauthorized', 'membership_ended', 'membership_restored', 'provider_logout', 'recheck_asked')
order by audit_event_id desc
limit $3
