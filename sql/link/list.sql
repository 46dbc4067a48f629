-- Links with everything that the rules read of them, and what Discord last took, in the order of their key: one page.
-- Nothing is locked. A link that is made meanwhile may be in no page.
-- $1 after text: the last discord_user_id of the page before, or '' for the first page
-- $2 limit bigint
-- rows: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- rows: linked_at timestamptz, imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text,
-- rows: cleared_at timestamptz
with page as (
  select
    link.discord_user_id,
    link.issuer,
    link.subject,
    link.linked_at,
    link.imported_at,
    link.pushed_metadata,
    link.pushed_platform_username,
    link.cleared_at
  from link
  where link.discord_user_id > $1
  order by link.discord_user_id
  limit $2
)

select
  page.discord_user_id,
  discord_account.username,
  page.issuer,
  page.subject,
  organisation_account.claims,
  organisation_account.sources,
  page.linked_at,
  page.imported_at,
  page.pushed_metadata,
  page.pushed_platform_username,
  page.cleared_at
from page
inner join discord_account on page.discord_user_id = discord_account.discord_user_id
inner join organisation_account
  on page.issuer = organisation_account.issuer and page.subject = organisation_account.subject
order by page.discord_user_id
