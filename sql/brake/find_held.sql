-- Since when losses are held; no row if they are not.
-- row: held_at timestamptz
select brake.held_at
from brake
where brake.held_at is not null
