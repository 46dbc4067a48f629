-- A member's link with everything that the rules read, for the member's own page.
-- $1 discord_user_id text
-- row: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb, linked_at timestamptz,
-- row: pushed_metadata jsonb, pushed_platform_username text, cleared_at timestamptz
select
  link.discord_user_id,
  discord_account.username,
  link.issuer,
  link.subject,
  organisation_account.claims,
  organisation_account.sources,
  link.linked_at,
  link.pushed_metadata,
  link.pushed_platform_username,
  link.cleared_at
from link
inner join discord_account on link.discord_user_id = discord_account.discord_user_id
inner join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
where link.discord_user_id = $1
