-- Forgets a role connection that was left behind: an operator has removed the role in Discord. The trail keeps who says so.
-- $1 discord_user_id text
-- $2 operator text
-- $3 now timestamptz
-- row: discord_user_id text
with deleted as (
  delete from role_connection_left
  where discord_user_id = $1
  returning discord_user_id
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, operator, detail)
  select $3, 'role_connection_cleared', deleted.discord_user_id, $2, '{"cause": "resolved"}'
  from deleted
)

select deleted.discord_user_id
from deleted
