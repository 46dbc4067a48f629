-- A member's open flows, each with its organisation account if it waits for the member to confirm a move.
-- $1 discord_user_id text
-- rows: discord_user_id text, issuer text, subject text, claims jsonb, sources jsonb, created_at timestamptz, expires_at timestamptz
select
  flow.discord_user_id,
  flow.issuer,
  flow.subject,
  organisation_account.claims,
  organisation_account.sources,
  flow.created_at,
  flow.expires_at
from flow
left join organisation_account
  on flow.issuer = organisation_account.issuer and flow.subject = organisation_account.subject
where flow.discord_user_id = $1
order by flow.created_at
limit 1000
