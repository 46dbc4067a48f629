-- The accounts of a flow that waits for the member to confirm a move, with the claims that were stored with the question.
-- $1 flow_id_hash text
-- row: flow_id_hash text, discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb
select
  flow.flow_id_hash,
  flow.discord_user_id,
  discord_account.username,
  organisation_account.issuer,
  organisation_account.subject,
  organisation_account.claims,
  organisation_account.sources
from flow
inner join discord_account on flow.discord_user_id = discord_account.discord_user_id
inner join organisation_account
  on flow.issuer = organisation_account.issuer and flow.subject = organisation_account.subject
where flow.flow_id_hash = $1
