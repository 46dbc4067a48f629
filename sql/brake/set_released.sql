-- Releases the losses that were found until now, and ends the look at other links.
-- $1 now timestamptz
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
)

select count(link.discord_user_id)::integer as released
from released
left join link on link.loss_due_at is not null
