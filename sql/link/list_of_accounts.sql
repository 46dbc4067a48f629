-- The links that have a Discord account or an account at the provider, each found by its index: two at most.
-- $1 of_discord_user_id text, null for none
-- $2 of_issuer text, null for none
-- $3 of_subject text, null for none
-- rows: discord_user_id text, username text, issuer text, subject text
select
  link.discord_user_id,
  discord_account.username,
  link.issuer,
  link.subject
from link
inner join discord_account on link.discord_user_id = discord_account.discord_user_id
where
  link.discord_user_id = $1
  or (link.issuer = $2 and link.subject = $3)
order by link.discord_user_id
