-- Claims grants that are to end at Discord. No other process takes them, and no new sign-in replaces them, until the
-- lease ends. Leaves out an abandoned grant while a link, a flow or a session needs it, because a revocation ends every
-- token of the member. A time beyond what a correct clock can write counts as now.
-- $1 limit bigint
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- $4 only_discord_user_id text, null for every member
-- rows: discord_user_id text, access_token_sealed text, refresh_token_sealed text, expires_at timestamptz,
-- rows: scope text, end_failures integer
with due as (
  select discord_token.discord_user_id
  from discord_token
  where
    ($4::text is null or discord_token.discord_user_id = $4)
    -- Tells the planner that few rows match, whatever the values.
    and discord_token.end_due_at is not null
    and (discord_token.end_due_at <= $3 or discord_token.end_due_at > $3::timestamptz + interval '2 hours')
    and not is_leased(discord_token.leased_until, $3)
    and (
      discord_token.end_reason in ('moved', 'unlinked')
      or (
        not exists (select from link where link.discord_user_id = discord_token.discord_user_id)
        and not exists (select from flow where flow.discord_user_id = discord_token.discord_user_id)
        and not exists (select from session where session.discord_user_id = discord_token.discord_user_id)
      )
    )
  order by discord_token.end_due_at
  limit $1
  for update skip locked
)

update discord_token
set leased_until = $2
from due
where discord_token.discord_user_id = due.discord_user_id
returning
  discord_token.discord_user_id,
  discord_token.access_token_sealed,
  discord_token.refresh_token_sealed,
  discord_token.expires_at,
  discord_token.scope,
  discord_token.end_failures
