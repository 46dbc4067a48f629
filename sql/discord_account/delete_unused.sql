-- Removes Discord accounts that have neither tokens nor a flow nor a session: what an ended grant left behind while a flow was open.
-- $1 updated_before timestamptz
-- nothing
with unused as (
  select discord_account.discord_user_id
  from discord_account
  where
    discord_account.updated_at < $1
    and not exists (select from discord_token where discord_token.discord_user_id = discord_account.discord_user_id)
    and not exists (select from flow where flow.discord_user_id = discord_account.discord_user_id)
    and not exists (select from session where session.discord_user_id = discord_account.discord_user_id)
  for update skip locked
)

delete from discord_account
using unused
where discord_account.discord_user_id = unused.discord_user_id
