-- Since when losses are held, and when the last ones were released; no row if they are not.
-- row: held_at timestamptz, released_at timestamptz
select
  brake.held_at,
  brake.released_at
from brake
where brake.held_at is not null
