-- Removes sessions that have ended by age or without use, up to a limit. Skips a session that is in use at this moment.
-- A session with times beyond what a correct clock can write would not end, so it is changed to one that was used now
-- and lasts 30 days at most.
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

ahead as (
  select session_id_hash
  from session
  where
    (
      last_used_at > $3::timestamptz + interval '5 minutes'
      or expires_at > $3::timestamptz + interval '30 days 5 minutes'
    )
    and expires_at > $3
    and last_used_at > $1
  for no key update skip locked
),

corrected as (
  update session
  set
    created_at = least(session.created_at, $3),
    last_used_at = least(session.last_used_at, $3),
    expires_at = least(session.expires_at, $3::timestamptz + interval '30 days')
  from ahead
  where session.session_id_hash = ahead.session_id_hash
),

deleted as (
  delete from session
  using expired
  where session.session_id_hash = expired.session_id_hash
  returning session.session_id_hash
)

select count(*)::integer as deleted
from deleted
