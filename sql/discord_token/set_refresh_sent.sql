-- Records that the refresh of a grant that is to end is about to be sent, and returns since when a refresh has had no
-- answer. A grant that Discord has ended comes back with the cause, and nothing is recorded; nor is it as long as the token
-- is not to be sent again. No row comes back if other tokens have replaced the ones that were claimed.
-- $1 discord_user_id text
-- $2 refresh_token_sealed text: as it was when the end was claimed
-- $3 now timestamptz
-- $4 is_awaited boolean: whether a member waits for it
-- row: discord_user_id text, refresh_unanswered_since timestamptz, refresh_refusals integer, end_cause text,
-- row: put_off_until timestamptz
update discord_token
set
  refresh_unanswered_since = case
    when ended_at is not null then null
    when refresh_put_off_until(refresh_retry_at, refresh_refusals, $4, $3) is not null then refresh_unanswered_since
    else coalesce(refresh_unanswered_since, $3)
  end
where discord_user_id = $1 and refresh_token_sealed = $2
returning
  discord_user_id,
  refresh_unanswered_since,
  refresh_refusals,
  end_cause,
  case
    when ended_at is null then refresh_put_off_until(refresh_retry_at, refresh_refusals, $4, $3)
  end as put_off_until
