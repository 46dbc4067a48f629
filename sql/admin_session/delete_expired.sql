-- Removes sign-ins to the page of administrators that have expired, up to a limit. Skips one that ends at this moment. One
-- that would expire later than a correct clock can write is removed, too.
-- $1 now timestamptz
-- $2 limit bigint
-- row: deleted integer
with expired as (
  select admin_session.session_id_hash
  from admin_session
  where admin_session.expires_at <= $1 or admin_session.expires_at > $1::timestamptz + interval '1 hour 5 minutes'
  limit $2
  for update skip locked
),

deleted as (
  delete from admin_session
  using expired
  where admin_session.session_id_hash = expired.session_id_hash
  returning admin_session.session_id_hash
)

select count(*)::integer as deleted
from deleted
