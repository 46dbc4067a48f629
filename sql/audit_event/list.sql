-- The trail of a member, newest first. The order is the one in which the database stored the events, whatever the
-- clocks said.
-- $1 discord_user_id text
-- rows: audit_event_id text, discord_user_id text, occurred_at timestamptz, action text, issuer text, subject text,
-- rows: request_id text, operator text, detail jsonb
select
  audit_event_id::text as audit_event_id,
  discord_user_id,
  occurred_at,
  action,
  issuer,
  subject,
  request_id,
  operator,
  detail
from audit_event
where discord_user_id = $1
order by audit_event.audit_event_id desc
limit 10000
