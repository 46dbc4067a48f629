-- A page of links with what a check needs of them, in the order of their keys. It claims nothing.
-- $1 after text: the last key of the page before; empty for the first
-- $2 limit bigint
-- $3 due_until timestamptz, null for all links
-- $4 member text, null for all members
-- rows: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- rows: linked_at timestamptz, imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text,
-- rows: cleared_at timestamptz,
-- rows: clear_cause text, loss_found_at timestamptz, disconnected_at timestamptz,
-- rows: organisation_access_token_sealed text, organisation_refresh_token_sealed text,
-- rows: organisation_expires_at timestamptz, gone_at timestamptz, organisation_ended_at timestamptz,
-- rows: organisation_end_cause text
select
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
  link.cleared_at,
  link.clear_cause,
  link.loss_found_at,
  link.disconnected_at,
  organisation_token.access_token_sealed as organisation_access_token_sealed,
  organisation_token.refresh_token_sealed as organisation_refresh_token_sealed,
  organisation_token.expires_at as organisation_expires_at,
  link.gone_at,
  organisation_token.ended_at as organisation_ended_at,
  organisation_token.end_cause as organisation_end_cause
from link
inner join discord_account on link.discord_user_id = discord_account.discord_user_id
inner join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
left join organisation_token on link.issuer = organisation_token.issuer and link.subject = organisation_token.subject
where
  link.discord_user_id > $1
  and ($3::timestamptz is null or link.check_due_at <= $3)
  and ($4::text is null or link.discord_user_id = $4)
order by link.discord_user_id
limit $2
