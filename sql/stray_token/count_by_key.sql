-- How many of the next rows each key has sealed. A row that two keys have sealed counts for both. No row says that no
-- more stray tokens follow.
-- $1 after text: the last id of the page before
-- $2 limit bigint
-- rows: last text, key_id text, sealed integer
with page as (
  select
    stray_token_id,
    access_token_sealed,
    refresh_token_sealed
  from stray_token
  where stray_token_id > $1
  order by stray_token_id
  limit $2
),

page_end as (
  select max(page.stray_token_id) as last
  from page
),

sealed_by as (
  select sealing_key_id(page.access_token_sealed) as key_id
  from page
  where page.access_token_sealed is not null
  union all
  select sealing_key_id(page.refresh_token_sealed) as key_id
  from page
  where
    page.refresh_token_sealed is not null
    and (
      page.access_token_sealed is null
      or sealing_key_id(page.refresh_token_sealed) <> sealing_key_id(page.access_token_sealed)
    )
)

select
  page_end.last,
  sealed_by.key_id,
  count(*)::integer as sealed
from sealed_by
cross join page_end
group by page_end.last, sealed_by.key_id
