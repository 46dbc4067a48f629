-- Removes Discord accounts that have no tokens, no flow and no session, up to a limit. An ended grant leaves such an
-- account behind if a flow was open. Skips an account whose member is signing in at this moment.
-- $1 updated_before timestamptz
-- $2 limit bigint
-- row: deleted integer
with unused as (
  select discord_account.discord_user_id
  from discord_account
  where
    discord_account.updated_at < $1
    and not exists (select from discord_token where discord_token.discord_user_id = discord_account.discord_user_id)
    and not exists (select from flow where flow.discord_user_id = discord_account.discord_user_id)
    and not exists (select from session where session.discord_user_id = discord_account.discord_user_id)
  limit $2
  for update skip locked
),

deleted as (
  delete from discord_account
  using unused
  where discord_account.discord_user_id = unused.discord_user_id
  returning discord_account.discord_user_id
)

select count(*)::integer as deleted
from deleted
