-- Releases the losses that were found until a time, which is now at most, and ends the look at other links. Whatever was
-- released stays so. The trail keeps who did it.
-- $1 now timestamptz
-- $2 operator text
-- $3 found_until timestamptz
-- row: released integer
with released as (
  insert into brake (released_at)
  values (least($1::timestamptz, $3))
  on conflict (brake_id) do update
    set
      released_at = greatest(brake.released_at, excluded.released_at),
      held_at = null,
      looked_at = null
  returning released_at
),

counted as (
  select count(link.discord_user_id)::integer as released
  from released
  left join link on released.released_at >= link.loss_found_at and link.loss_due_at is not null
),

audit as (
  insert into audit_event (occurred_at, action, operator, detail)
  select $1, 'losses_released', $2, jsonb_build_object('links', counted.released)
  from counted
)

select counted.released
from counted
