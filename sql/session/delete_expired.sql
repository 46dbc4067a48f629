-- Removes sessions that have ended, by age or for want of use, so many at most. One that is in use at this moment is
-- passed by.
-- $1 idle_since timestamptz
-- $2 limit bigint
-- $3 now timestamptz
-- row: deleted integer
with expired as (
  select session.session_id_hash
  from session
  where session.expires_at <= $3 or session.last_used_at <= $1
  limit $2
  for update skip locked
),

deleted as (
  delete from session
  using expired
  where session.session_id_hash = expired.session_id_hash
  returning session.session_id_hash
)

select count(*)::integer as deleted
from deleted
