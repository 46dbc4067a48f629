-- Removes flows that were never finished, up to a limit, and those with a start beyond what a correct clock can write.
-- Skips rows that another process removes at the same time.
-- $1 created_before timestamptz: an hour ago
-- $2 limit bigint
-- row: deleted integer
with old as (
  select flow.flow_id_hash
  from flow
  where flow.created_at < $1 or flow.created_at > $1::timestamptz + interval '2 hours'
  order by flow.created_at
  limit $2
  for update skip locked
),

deleted as (
  delete from flow
  using old
  where flow.flow_id_hash = old.flow_id_hash
  returning flow.flow_id_hash
)

select count(*)::integer as deleted
from deleted
