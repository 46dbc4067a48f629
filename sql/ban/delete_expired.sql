-- Removes bans that ended before a time, up to a limit. The trail keeps that they were.
-- $1 expired_before timestamptz
-- $2 limit bigint
-- row: deleted integer
with old as (
  select ban.ban_id
  from ban
  where ban.expires_at < $1
  limit $2
  for update skip locked
),

deleted as (
  delete from ban
  using old
  where ban.ban_id = old.ban_id
  returning ban.ban_id
)

select count(*)::integer as deleted
from deleted
