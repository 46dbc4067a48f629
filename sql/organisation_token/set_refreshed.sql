-- Stores what a refresh at the provider brought, if the refresh token that was spent is still stored. A member who signed
-- in in the meantime has brought newer tokens. Without a new refresh token the old one stays.
-- $1 issuer text
-- $2 subject text
-- $3 spent_refresh_token_sealed text: as it was claimed
-- $4 access_token_sealed text
-- $5 refresh_token_sealed text, null if the provider gave none
-- $6 expires_at timestamptz, null if the provider did not say
-- $7 now timestamptz
-- row: subject text
update organisation_token
set
  access_token_sealed = $4,
  refresh_token_sealed = coalesce($5, refresh_token_sealed),
  expires_at = $6,
  obtained_at = $7,
  refresh_unanswered_since = null,
  refresh_refusals = 0
where issuer = $1 and subject = $2 and refresh_token_sealed = $3
returning subject
