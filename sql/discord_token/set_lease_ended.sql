-- Frees the lease of a refresh that failed, if the pair is still the one that was claimed.
-- $1 discord_user_id text
-- $2 refresh_token_sealed text: as it was when the lease was claimed
-- nothing
update discord_token
set leased_until = null
where discord_user_id = $1 and refresh_token_sealed = $2
