-- The end of the next page of links, in the order of their key, and how many links it has. No row comes back after the last.
-- $1 after text: the last discord_user_id of the page before, or '' for the first page
-- $2 limit bigint
-- row: last text, links integer
with page as (
  select link.discord_user_id
  from link
  where link.discord_user_id > $1
  order by link.discord_user_id
  limit $2
)

select
  max(page.discord_user_id) as last,
  count(*)::integer as links
from page
having count(*) > 0
