-- Removes flows that were never finished, and those that no honest clock can have put so far ahead.
-- $1 created_before timestamptz: an hour ago
-- nothing
with old as (
  select flow_id_hash
  from flow
  where created_at < $1 or created_at > $1::timestamptz + interval '2 hours'
  for update skip locked
)

delete from flow
using old
where flow.flow_id_hash = old.flow_id_hash
