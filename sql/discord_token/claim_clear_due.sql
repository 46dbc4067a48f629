-- Claims role connections that an earlier grant left and that Janus still has to clear. No other process takes them
-- until the lease ends. If the member has linked again since, the new role connection has replaced the old one and
-- nothing is left to clear. That link is pushed once more, because an earlier attempt to clear may have run while it
-- was pushed. A due time beyond what a correct clock can write counts as now.
-- $1 limit bigint
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- rows: discord_user_id text, access_token_sealed text, discord_expires_at timestamptz, clear_failures integer
with due as (
  select discord_token.discord_user_id
  from discord_token
  where
    -- Tells the planner that few rows match, whatever the values.
    discord_token.clear_due_at is not null
    and (discord_token.clear_due_at <= $3 or discord_token.clear_due_at > $3::timestamptz + interval '2 hours')
    and discord_token.end_reason is null
  order by discord_token.clear_due_at
  limit $1
  for update skip locked
),

-- In the order of docs/decisions/0028.
locked_links as (
  select link.discord_user_id
  from due
  inner join link on due.discord_user_id = link.discord_user_id
  order by link.discord_user_id
  for no key update of link
),

pushed_again as (
  update link
  set push_due_at = $3
  from locked_links
  where link.discord_user_id = locked_links.discord_user_id
  returning link.discord_user_id
),

replaced as (
  update discord_token
  set
    clear_due_at = null,
    end_failures = 0
  from pushed_again
  where discord_token.discord_user_id = pushed_again.discord_user_id
),

claimed as (
  update discord_token
  set clear_due_at = $2
  from due
  where
    discord_token.discord_user_id = due.discord_user_id
    and not exists (select from pushed_again where pushed_again.discord_user_id = due.discord_user_id)
  returning
    discord_token.discord_user_id,
    discord_token.access_token_sealed,
    discord_token.expires_at,
    discord_token.end_failures
)

select
  claimed.discord_user_id,
  claimed.access_token_sealed,
  claimed.expires_at as discord_expires_at,
  claimed.end_failures as clear_failures
from claimed
