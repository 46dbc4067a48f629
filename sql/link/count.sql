-- The number of links.
-- row: count integer
select count(*)::integer as count
from link
