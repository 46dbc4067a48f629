-- Events of a part of the trail, the newest first: one page, of which a filter may leave nothing.
-- $1 first_id bigint
-- $2 last_id bigint
-- $3 action text, null for each
-- $4 since timestamptz, null for the beginning
-- $5 until timestamptz, null for no end
-- rows: audit_event_id text, discord_user_id text, occurred_at timestamptz, action text, issuer text, subject text,
-- rows: request_id text, operator text, detail jsonb
select
  audit_event.audit_event_id::text as audit_event_id,
  audit_event.discord_user_id,
  audit_event.occurred_at,
  audit_event.action,
  audit_event.issuer,
  audit_event.subject,
  audit_event.request_id,
  audit_event.operator,
  audit_event.detail
from audit_event
where
  audit_event.audit_event_id >= $1
  and audit_event.audit_event_id <= $2
  and ($3::text is null or audit_event.action = $3)
  and audit_event.occurred_at >= coalesce($4::timestamptz, '-infinity')
  and audit_event.occurred_at < coalesce($5::timestamptz, 'infinity')
order by audit_event.audit_event_id desc
