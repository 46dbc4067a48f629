-- How many links are due for a check.
-- $1 now timestamptz
-- row: count integer
select count(*)::integer as count
from link
where check_due_at <= $1
