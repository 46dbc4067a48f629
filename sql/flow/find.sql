-- The accounts of a flow, for rules that read them before the flow is taken: the Discord account, and when it was linked
-- to this organisation account; null if it is not.
-- $1 flow_id_hash text
-- $2 issuer text
-- $3 subject text
-- row: flow_id_hash text, discord_user_id text, username text, linked_at timestamptz
select
  flow.flow_id_hash,
  flow.discord_user_id,
  discord_account.username,
  link.linked_at
from flow
inner join discord_account on flow.discord_user_id = discord_account.discord_user_id
left join link on flow.discord_user_id = link.discord_user_id and link.issuer = $2 and link.subject = $3
where flow.flow_id_hash = $1
