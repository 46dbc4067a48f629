-- Claims the refresh of a member's Discord tokens. A refresh token is single use, so one process at a time may refresh.
-- The refresh counts as unanswered until its answer is stored, because this process may die before that. No row comes
-- back while another process holds the lease, or if the grant is to end. A lease beyond what a correct clock can write
-- is over.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- row: discord_user_id text, access_token_sealed text, refresh_token_sealed text, expires_at timestamptz,
-- row: refresh_unanswered_since timestamptz
update discord_token
set
  leased_until = $2,
  refresh_unanswered_since = coalesce(refresh_unanswered_since, $3)
where
  discord_user_id = $1
  and end_reason is null
  and not is_leased(leased_until, $3)
returning discord_user_id, access_token_sealed, refresh_token_sealed, expires_at, refresh_unanswered_since
