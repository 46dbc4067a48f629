-- Forgets role connections that were left behind long ago, up to a limit.
-- $1 left_before timestamptz
-- $2 limit bigint
-- row: deleted integer
with old as (
  select role_connection_left.discord_user_id
  from role_connection_left
  where role_connection_left.left_at < $1
  limit $2
  for update skip locked
),

deleted as (
  delete from role_connection_left
  using old
  where role_connection_left.discord_user_id = old.discord_user_id
  returning role_connection_left.discord_user_id
)

select count(*)::integer as deleted
from deleted
