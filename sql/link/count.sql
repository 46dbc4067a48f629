-- How many links there are.
-- row: count integer
select count(*)::integer as count
from link
