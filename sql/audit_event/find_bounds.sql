-- The first and the last event within a time, by the order in which the database stored them. No row comes back if no event
-- is within it.
-- $1 since timestamptz, null for the beginning
-- $2 until timestamptz, null for no end
-- row: first_id text, last_id text
select
  min(audit_event.audit_event_id)::text as first_id,
  max(audit_event.audit_event_id)::text as last_id
from audit_event
where
  audit_event.occurred_at >= coalesce($1::timestamptz, '-infinity')
  and audit_event.occurred_at < coalesce($2::timestamptz, 'infinity')
having count(*) > 0
