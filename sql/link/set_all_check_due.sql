-- Makes a page of links due for a check, in the order of their keys. A link that another process works on keeps its time.
-- $1 check_due_at timestamptz
-- $2 after text: the last key of the page before; empty for the first
-- $3 limit bigint
-- row: last text, links integer
with page as (
  select link.discord_user_id
  from link
  where link.discord_user_id > $2
  order by link.discord_user_id
  limit $3
),

free as (
  select link.discord_user_id
  from page
  inner join link on page.discord_user_id = link.discord_user_id
  where link.check_due_at > $1 and not is_leased(link.check_leased_until, $1)
  for update of link skip locked
),

due as (
  update link
  set check_due_at = $1
  from free
  where link.discord_user_id = free.discord_user_id
)

select
  max(page.discord_user_id) as last,
  count(page.discord_user_id)::integer as links
from page
