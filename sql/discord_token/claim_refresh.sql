-- Claims the right to refresh a member's Discord tokens: a refresh token is single use, so one process at a time. Until its
-- answer is stored the refresh counts as unanswered, since this process may die before. No row comes back while another
-- process holds the lease, or once the grant is to end. A lease that no correct clock can have put so far ahead is over.
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
  and (leased_until is null or leased_until <= $3 or leased_until > $3::timestamptz + interval '15 minutes')
returning discord_user_id, access_token_sealed, refresh_token_sealed, expires_at, refresh_unanswered_since
