-- How many links have each metadata record at Discord, and with how many of them it is "0", a no.
-- rows: key text, links integer, zeros integer
select
  record.key,
  count(*)::integer as links,
  count(*) filter (where record.value = '0')::integer as zeros
from link
cross join lateral jsonb_each_text(link.pushed_metadata) as record (key, value)
where link.pushed_metadata is not null and link.cleared_at is null and link.disconnected_at is null
group by record.key
order by record.key
