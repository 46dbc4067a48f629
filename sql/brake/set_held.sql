-- Records whether losses are held. No row comes back if another process has recorded the same.
-- $1 is_held boolean
-- $2 now timestamptz
-- row: is_held boolean
insert into brake (held_at)
values (case when $1 then $2::timestamptz end)
on conflict (brake_id) do update
  set held_at = excluded.held_at
  where (brake.held_at is null) <> (excluded.held_at is null)
returning held_at is not null as is_held
