-- The stray tokens among the next rows that another key than the first has sealed. Where a page has none, one row without
-- tokens says where it ends. No row says that no more stray tokens follow.
-- $1 after text: the last id of the page before
-- $2 limit bigint: rows that are looked at
-- $3 key_id text: the first key
-- rows: last text, stray_token_id text, issuer text, subject text, access_token_sealed text, refresh_token_sealed text
with page as (
  select
    stray_token_id,
    issuer,
    subject,
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
)

select
  page_end.last,
  page.stray_token_id,
  page.issuer,
  page.subject,
  page.access_token_sealed,
  page.refresh_token_sealed
from page_end
left join page
  on
    (page.access_token_sealed is not null and sealing_key_id(page.access_token_sealed) <> $3)
    or (page.refresh_token_sealed is not null and sealing_key_id(page.refresh_token_sealed) <> $3)
where page_end.last is not null
