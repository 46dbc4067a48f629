-- A member's flows under way, with the organisation account of one that waits for a move to be confirmed.
-- $1 discord_user_id text
-- rows: discord_user_id text, issuer text, subject text, claims jsonb, created_at timestamptz, expires_at timestamptz
select
  flow.discord_user_id,
  flow.issuer,
  flow.subject,
  organisation_account.claims,
  flow.created_at,
  flow.expires_at
from flow
left join organisation_account
  on flow.issuer = organisation_account.issuer and flow.subject = organisation_account.subject
where flow.discord_user_id = $1
order by flow.created_at
limit 1000
