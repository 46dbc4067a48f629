-- Makes due what a member loses whose membership the organisation has ended, so that it does not wait for their check.
-- Nothing is due if Discord has nothing, or can be told nothing.
-- $1 discord_user_id text
-- $2 now timestamptz
-- nothing
update link
set
  loss_found_at = coalesce(link.loss_found_at, $2),
  loss_due_at = $2
from discord_token
where
  link.discord_user_id = $1
  and link.discord_user_id = discord_token.discord_user_id
  and discord_token.ended_at is null
  and link.gone_at is not null
  and link.pushed_metadata is not null
  and link.cleared_at is null
