-- The grants among the next rows that another key than the first has sealed, replaced tokens included. Where a page has
-- none, one row without a grant says where it ends. No row says that no more grants follow.
-- $1 after_issuer text: of the last grant of the page before
-- $2 after_subject text
-- $3 limit bigint: rows that are looked at
-- $4 key_id text: the first key
-- rows: last_issuer text, last_subject text, issuer text, subject text, access_token_sealed text,
-- rows: refresh_token_sealed text, replaced_tokens jsonb
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
)

select
  page_end.last_issuer,
  page_end.last_subject,
  page.issuer,
  page.subject,
  page.access_token_sealed,
  page.refresh_token_sealed,
  page.replaced_tokens
from page_end
left join page
  on
    sealing_key_id(page.access_token_sealed) <> $4
    or (page.refresh_token_sealed is not null and sealing_key_id(page.refresh_token_sealed) <> $4)
    or exists (
      select from jsonb_array_elements(page.replaced_tokens) as token (value)
      where sealing_key_id(token.value ->> 'sealed') <> $4
    )
