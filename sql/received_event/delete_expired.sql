-- Forgets events whose repeats are refused as too old by now.
-- $1 now timestamptz
-- $2 limit bigint
-- row: deleted integer
with expired as (
  select source, event_id
  from received_event
  where expires_at <= $1
  order by expires_at
  limit $2
  for update skip locked
),

deleted as (
  delete from received_event
  using expired
  where received_event.source = expired.source and received_event.event_id = expired.event_id
  returning received_event.event_id
)

select count(*)::integer as deleted
from deleted
