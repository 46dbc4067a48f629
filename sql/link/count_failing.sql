-- Links whose last check failed, by the code of that failure, the most frequent first.
-- $1 limit bigint
-- rows: code text, links integer
select
  coalesce(link.check_failed_code, 'unknown') as code,
  count(*)::integer as links
from link
where link.check_failures > 0
group by coalesce(link.check_failed_code, 'unknown')
order by links desc, code
limit $1
