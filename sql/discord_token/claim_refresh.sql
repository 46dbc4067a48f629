-- Claims the refresh of a member's Discord tokens. A refresh token is single use, so one process at a time may refresh.
-- The refresh counts as unanswered until its answer is stored, because this process may die before that. No row comes
-- back while another process holds the lease, or if Janus is to end the grant. A lease beyond what a correct clock can
-- write is over. A grant that Discord has ended comes back as it is, and is not claimed; so does one whose last refresh
-- failed, as long as its token is not to be sent again.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- $4 is_awaited boolean: whether a member waits for it
-- row: discord_user_id text, access_token_sealed text, refresh_token_sealed text, expires_at timestamptz,
-- row: obtained_at timestamptz, refresh_unanswered_since timestamptz, refresh_refusals integer, end_cause text,
-- row: put_off_until timestamptz
with found as (
  select
    discord_token.discord_user_id,
    case
      when discord_token.ended_at is null
        then refresh_put_off_until(discord_token.refresh_retry_at, discord_token.refresh_refusals, $4, $3)
    end as put_off_until
  from discord_token
  where
    discord_token.discord_user_id = $1
    and discord_token.end_reason is null
    and not is_leased(discord_token.leased_until, $3)
  for no key update
)

update discord_token
set
  leased_until = case
    when discord_token.ended_at is null and found.put_off_until is null then $2
    else discord_token.leased_until
  end,
  refresh_unanswered_since = case
    when discord_token.ended_at is not null then null
    when found.put_off_until is not null then discord_token.refresh_unanswered_since
    else coalesce(discord_token.refresh_unanswered_since, $3)
  end
from found
where discord_token.discord_user_id = found.discord_user_id
returning
  discord_token.discord_user_id,
  discord_token.access_token_sealed,
  discord_token.refresh_token_sealed,
  discord_token.expires_at,
  discord_token.obtained_at,
  discord_token.refresh_unanswered_since,
  discord_token.refresh_refusals,
  discord_token.end_cause,
  found.put_off_until
