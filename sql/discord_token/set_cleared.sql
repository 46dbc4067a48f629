-- Records that the role connection of an earlier grant is cleared, or that Discord permanently refuses to clear it. If
-- the member has linked in the meantime, the link is pushed again, because its role connection may have been cleared
-- too.
-- $1 discord_user_id text
-- $2 clear_due_at timestamptz: as it was claimed
-- $3 is_role_connection_left boolean: Discord refused to clear it
-- $4 now timestamptz
-- nothing
with cleared as (
  update discord_token
  set
    clear_due_at = null,
    end_failures = 0
  where discord_user_id = $1 and clear_due_at = $2 and end_reason is null
  returning discord_user_id
),

remembered as (
  insert into role_connection_left (discord_user_id, left_at)
  select
    cleared.discord_user_id,
    $4
  from cleared
  where $3
  on conflict (discord_user_id) do nothing
),

pushed_again as (
  update link
  set push_due_at = $4
  from cleared
  where link.discord_user_id = cleared.discord_user_id
)

insert into audit_event (occurred_at, action, discord_user_id)
select $4, 'role_connection_not_cleared', cleared.discord_user_id
from cleared
where $3::boolean
