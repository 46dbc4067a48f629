-- The links that an operator may mean by what they call a member, with everything that the rules read of them. The rank
-- says by what a link was found: 1 its Discord user id, 2 its subject, 3 a username at Discord or at the organisation.
-- No index has subjects and names alone, so it looks for these in one page of links. An id it finds wherever it is.
-- $1 member text
-- $2 after text: the end of the page before, or '' for the first page
-- $3 last text: the end of this page
-- $4 limit bigint
-- rows: rank integer, discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- rows: linked_at timestamptz, imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text,
-- rows: cleared_at timestamptz
with page as (
  (
    select link.discord_user_id
    from link
    where link.discord_user_id > $2 and link.discord_user_id <= $3 and link.discord_user_id <> $1
    order by link.discord_user_id
    -- As in list_matching.sql.
    limit 2000
  )
  union all
  select link.discord_user_id
  from link
  where link.discord_user_id = $1
)

select
  case
    when link.discord_user_id = $1 then 1
    when link.subject = $1 then 2
    else 3
  end as rank,
  link.discord_user_id,
  discord_account.username,
  link.issuer,
  link.subject,
  organisation_account.claims,
  organisation_account.sources,
  link.linked_at,
  link.imported_at,
  link.pushed_metadata,
  link.pushed_platform_username,
  link.cleared_at
from page
inner join link on page.discord_user_id = link.discord_user_id
inner join discord_account on link.discord_user_id = discord_account.discord_user_id
inner join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
where
  link.discord_user_id = $1
  or link.subject = $1
  or discord_account.username = $1
  or organisation_account.claims ->> 'preferred_username' = $1
order by rank, link.discord_user_id
limit $4
