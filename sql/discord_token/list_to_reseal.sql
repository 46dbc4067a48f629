-- The grants among the next rows that another key than the first has sealed. Where a page has none, one row without a
-- grant says where it ends. No row says that no more grants follow.
-- $1 after text: the last Discord user id of the page before
-- $2 limit bigint: rows that are looked at
-- $3 key_id text: the first key
-- rows: last text, discord_user_id text, access_token_sealed text, refresh_token_sealed text
with page as (
  select
    discord_user_id,
    access_token_sealed,
    refresh_token_sealed
  from discord_token
  where discord_user_id > $1
  order by discord_user_id
  limit $2
),

page_end as (
  select max(page.discord_user_id) as last
  from page
)

select
  page_end.last,
  page.discord_user_id,
  page.access_token_sealed,
  page.refresh_token_sealed
from page_end
left join page
  on
    page_end.last is not null
    -- A member who has removed Janus has none.
    and page.access_token_sealed <> ''
    and (sealing_key_id(page.access_token_sealed) <> $3 or sealing_key_id(page.refresh_token_sealed) <> $3)
where page_end.last is not null
