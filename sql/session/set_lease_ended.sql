-- Frees the lease of a refresh that failed, if the tokens are still the ones that were claimed.
-- $1 session_id_hash text
-- $2 access_token_sealed text: as it was when the lease was claimed
-- nothing
update session
set leased_until = null
where session_id_hash = $1 and access_token_sealed = $2
