-- Claims grants of links whose access token expires within a day; a token that lives for less than two days is due in
-- the second half of its life. An unlink then finds a token that works. No other process takes these grants until the
-- lease ends. A grant that Discord has ended is not claimed. A time beyond what a correct clock can write counts as now.
-- $1 limit bigint
-- $2 expires_before timestamptz: a day from now
-- $3 leased_until timestamptz
-- $4 now timestamptz
-- rows: discord_user_id text, access_token_sealed text, refresh_token_sealed text, expires_at timestamptz,
-- rows: refresh_unanswered_since timestamptz, refresh_refusals integer, refresh_failures integer
with due as (
  select discord_token.discord_user_id
  from discord_token
  where
    discord_token.expires_at <= $2
    and discord_token.expires_at - $4 <= (discord_token.expires_at - discord_token.obtained_at) / 2
    and discord_token.end_reason is null
    and discord_token.ended_at is null
    and refresh_put_off_until(discord_token.refresh_retry_at, discord_token.refresh_refusals, false, $4) is null
    and not is_leased(discord_token.leased_until, $4)
    and exists (select from link where link.discord_user_id = discord_token.discord_user_id)
  order by discord_token.expires_at
  limit $1
  for no key update skip locked
)

update discord_token
set
  leased_until = $3,
  refresh_unanswered_since = coalesce(discord_token.refresh_unanswered_since, $4)
from due
where discord_token.discord_user_id = due.discord_user_id
returning
  discord_token.discord_user_id,
  discord_token.access_token_sealed,
  discord_token.refresh_token_sealed,
  discord_token.expires_at,
  discord_token.refresh_unanswered_since,
  discord_token.refresh_refusals,
  discord_token.refresh_failures
