-- Removes flows that were never finished.
-- $1 created_before timestamptz
-- nothing
with old as (
  select flow_id_hash
  from flow
  where created_at < $1
  for update skip locked
)

delete from flow
using old
where flow.flow_id_hash = old.flow_id_hash
