-- Removes sessions that have ended, by age or for want of use.
-- $1 idle_since timestamptz
-- $2 now timestamptz
-- nothing
with ended as (
  select session_id_hash
  from session
  where expires_at <= $2 or last_used_at <= $1
  for update skip locked
)

delete from session
using ended
where session.session_id_hash = ended.session_id_hash
