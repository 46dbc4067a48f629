-- Links whose last check or push failed, by the code of that failure, the most frequent first. A link of which both failed
-- counts for each of the two codes, and once where they are the same.
-- $1 limit bigint
-- rows: code text, links integer
select
  failure.code,
  count(*)::integer as links
from link
cross join lateral (
  select coalesce(link.check_failed_code, 'unknown') as code
  where link.check_failures > 0
  union
  select coalesce(link.push_failed_code, 'unknown') as code
  where link.push_failures > 0
) as failure
where link.check_failures > 0 or link.push_failures > 0
group by failure.code
order by links desc, failure.code
limit $1
