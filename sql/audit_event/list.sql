-- The trail of a member, newest first. The order is the one in which the database stored the events, whatever the
-- clocks said.
-- $1 discord_user_id text
-- rows: discord_user_id text, occurred_at timestamptz, action text, issuer text, subject text, request_id text,
-- rows: detail jsonb
select
  discord_user_id,
  occurred_at,
  action,
  issuer,
  subject,
  request_id,
  detail
from audit_event
where discord_user_id = $1
order by audit_event_id desc
limit 10000
