-- How many of the next rows each key has sealed. A row that two keys have sealed counts for both. No row says that no
-- more grants follow.
-- $1 after text: the last Discord user id of the page before
-- $2 limit bigint
-- rows: last text, key_id text, sealed integer
with page as (
  select
    discord_user_id,
    sealing_key_id(access_token_sealed) as access_key_id,
    sealing_key_id(refresh_token_sealed) as refresh_key_id
  from discord_token
  where discord_user_id > $1
  order by discord_user_id
  limit $2
),

page_end as (
  select max(page.discord_user_id) as last
  from page
),

sealed_by as (
  select page.access_key_id as key_id
  from page
  union all
  select page.refresh_key_id as key_id
  from page
  where page.refresh_key_id <> page.access_key_id
)

select
  page_end.last,
  sealed_by.key_id,
  count(*)::integer as sealed
from sealed_by
cross join page_end
group by page_end.last, sealed_by.key_id
