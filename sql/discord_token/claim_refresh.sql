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
update discord_token
set
  leased_until = case
    when ended_at is null and refresh_put_off_until(refresh_retry_at, refresh_refusals, $4, $3) is null then $2
    else leased_until
  end,
  refresh_unanswered_since = case
    when ended_at is not null then null
    when refresh_put_off_until(refresh_retry_at, refresh_refusals, $4, $3) is not null then refresh_unanswered_since
    else coalesce(refresh_unanswered_since, $3)
  end
where
  discord_user_id = $1
  and end_reason is null
  and not is_leased(leased_until, $3)
returning
  discord_user_id,
  access_token_sealed,
  refresh_token_sealed,
  expires_at,
  obtained_at,
  refresh_unanswered_since,
  refresh_refusals,
  end_cause,
  case
    when ended_at is null then refresh_put_off_until(refresh_retry_at, refresh_refusals, $4, $3)
  end as put_off_until
