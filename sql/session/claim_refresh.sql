-- Claims the refresh of a session's tokens, if they are still the ones that the caller saw. A refresh token is single
-- use, so one process at a time may refresh. No row comes back while another process holds the lease, or after it has
-- refreshed. A lease beyond what a correct clock can write is over.
-- $1 session_id_hash text
-- $2 access_token_sealed text: as it was seen
-- $3 leased_until timestamptz
-- $4 now timestamptz
-- row: session_id_hash text
update session
set leased_until = $3
where
  session_id_hash = $1
  and access_token_sealed = $2
  and not is_leased(leased_until, $4)
returning session_id_hash
