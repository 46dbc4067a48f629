-- Releases the losses that were found until now, and ends the look at other links. The trail keeps who did it.
-- $1 now timestamptz
-- $2 operator text
-- row: released integer
with released as (
  insert into brake (released_at)
  values ($1)
  on conflict (brake_id) do update
    set
      released_at = excluded.released_at,
      held_at = null,
      looked_at = null
  returning brake_id
),

counted as (
  select count(link.discord_user_id)::integer as released
  from released
  left join link on link.loss_due_at is not null
),

audit as (
  insert into audit_event (occurred_at, action, operator, detail)
  select $1, 'losses_released', $2, jsonb_build_object('links', counted.released)
  from counted
)

select counted.released
from counted
