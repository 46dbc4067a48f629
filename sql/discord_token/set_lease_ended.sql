-- Frees the lease of a refresh that was not needed, if the pair is still the one that was claimed.
-- $1 discord_user_id text
-- $2 refresh_token_sealed text: as it was when the lease was claimed
-- $3 is_unspent boolean: no earlier refresh is unanswered
-- nothing
update discord_token
set
  leased_until = null,
  refresh_unanswered_since = case when $3 then null else refresh_unanswered_since end
where discord_user_id = $1 and refresh_token_sealed = $2
