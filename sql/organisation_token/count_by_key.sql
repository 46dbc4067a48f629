-- How many of the next rows each key has sealed, replaced tokens included. A row that several keys have sealed counts
-- for each. No row says that no more grants follow.
-- $1 after_issuer text: of the last grant of the page before
-- $2 after_subject text
-- $3 limit bigint
-- rows: last_issuer text, last_subject text, key_id text, sealed integer
with page as (
  select
    issuer,
    subject,
    access_token_sealed,
    refresh_token_sealed,
    replaced_tokens
  from organisation_token
  where (issuer, subject) > ($1, $2)
  order by issuer, subject
  limit $3
),

page_end as (
  select
    page.issuer as last_issuer,
    page.subject as last_subject
  from page
  order by page.issuer desc, page.subject desc
  limit 1
),

sealed_by as (
  select sealing_key_id(page.access_token_sealed) as key_id
  from page
  union all
  select sealing_key_id(page.refresh_token_sealed) as key_id
  from page
  where
    page.refresh_token_sealed is not null
    and sealing_key_id(page.refresh_token_sealed) <> sealing_key_id(page.access_token_sealed)
  union all
  select replaced.key_id
  from page
  cross join lateral (
    select distinct sealing_key_id(token.value ->> 'sealed') as key_id
    from jsonb_array_elements(page.replaced_tokens) as token (value)
  ) as replaced
  where
    replaced.key_id <> sealing_key_id(page.access_token_sealed)
    and replaced.key_id <> coalesce(sealing_key_id(page.refresh_token_sealed), '')
)

select
  page_end.last_issuer,
  page_end.last_subject,
  sealed_by.key_id,
  count(*)::integer as sealed
from sealed_by
cross join page_end
group by page_end.last_issuer, page_end.last_subject, sealed_by.key_id
