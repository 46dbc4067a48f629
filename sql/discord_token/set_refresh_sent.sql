-- Records that the refresh of a grant that is to end is about to be sent, and returns since when a refresh has had no
-- answer. A grant that Discord has ended comes back with the cause, and nothing is recorded; nor is it as long as the token
-- is not to be sent again. No row comes back if other tokens have replaced the ones that were claimed.
-- $1 discord_user_id text
-- $2 refresh_token_sealed text: as it was when the end was claimed
-- $3 now timestamptz
-- $4 is_awaited boolean: whether a member waits for it
-- row: discord_user_id text, refresh_unanswered_since timestamptz, refresh_refusals integer, end_cause text,
-- row: put_off_until timestamptz
with found as (
  select
    discord_token.discord_user_id,
    case
      when discord_token.ended_at is null
        then refresh_put_off_until(discord_token.refresh_retry_at, discord_token.refresh_refusals, $4, $3)
    end as put_off_until
  from discord_token
  where discord_token.discord_user_id = $1 and discord_token.refresh_token_sealed = $2
  for no key update
)

update discord_token
set
  refresh_unanswered_since = case
    when discord_token.ended_at is not null then null
    when found.put_off_until is not null then discord_token.refresh_unanswered_since
    else coalesce(discord_token.refresh_unanswered_since, $3)
  end
from found
where discord_token.discord_user_id = found.discord_user_id
returning
  discord_token.discord_user_id,
  discord_token.refresh_unanswered_since,
  discord_token.refresh_refusals,
  discord_token.end_cause,
  found.put_off_until
