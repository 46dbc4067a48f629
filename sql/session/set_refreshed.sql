-- Stores the pair that a refresh brought, if the session still has the token that was claimed, and frees the lease.
-- $1 session_id_hash text
-- $2 spent_access_token_sealed text: as it was when the lease was claimed
-- $3 access_token_sealed text
-- $4 refresh_token_sealed text
-- $5 token_expires_at timestamptz
-- $6 now timestamptz
-- nothing
update session
set
  access_token_sealed = $3,
  refresh_token_sealed = $4,
  token_expires_at = $5,
  refreshed_at = $6,
  leased_until = null
where session_id_hash = $1 and access_token_sealed = $2
