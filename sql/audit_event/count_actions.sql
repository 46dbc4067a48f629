-- How often each action is in the trail within a time.
-- $1 since timestamptz
-- $2 until timestamptz
-- rows: action text, events integer
select
  audit_event.action,
  count(*)::integer as events
from audit_event
where audit_event.occurred_at >= $1 and audit_event.occurred_at < $2
group by audit_event.action
order by audit_event.action
