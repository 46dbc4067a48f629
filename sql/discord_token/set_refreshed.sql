-- Stores the pair that a refresh brought, if the pair that was refreshed is still stored. A member who signed in in the
-- meantime has brought a newer one.
-- $1 discord_user_id text
-- $2 spent_refresh_token_sealed text: as it was when the lease was claimed
-- $3 access_token_sealed text
-- $4 refresh_token_sealed text
-- $5 scope text
-- $6 expires_at timestamptz
-- $7 leased_until timestamptz, null to free the lease
-- $8 now timestamptz
-- row: discord_user_id text
update discord_token
set
  access_token_sealed = $3,
  refresh_token_sealed = $4,
  scope = $5,
  expires_at = $6,
  obtained_at = $8,
  leased_until = $7,
  refresh_unanswered_since = null,
  refresh_failures = 0,
  refresh_refusals = 0,
  refresh_retry_at = null
where discord_user_id = $1 and refresh_token_sealed = $2
returning discord_user_id
