-- Removes sessions that have ended, by age or for want of use. Times that no honest clock can have put so far ahead would
-- keep a session from ending: it was used now, and lasts 30 days from now at most.
-- $1 idle_since timestamptz
-- $2 now timestamptz
-- nothing
with ended as (
  select session_id_hash
  from session
  where expires_at <= $2 or last_used_at <= $1
  for update skip locked
),

ahead as (
  select session_id_hash
  from session
  where
    (
      last_used_at > $2::timestamptz + interval '5 minutes'
      or expires_at > $2::timestamptz + interval '30 days 5 minutes'
    )
    and expires_at > $2
    and last_used_at > $1
  for no key update skip locked
),

corrected as (
  update session
  set
    created_at = least(session.created_at, $2),
    last_used_at = least(session.last_used_at, $2),
    expires_at = least(session.expires_at, $2::timestamptz + interval '30 days')
  from ahead
  where session.session_id_hash = ahead.session_id_hash
)

delete from session
using ended
where session.session_id_hash = ended.session_id_hash
