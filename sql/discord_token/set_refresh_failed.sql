-- Records that a refresh failed, if the pair is still the one that was claimed, and frees the lease. A grant that is to
-- end keeps its lease.
-- $1 discord_user_id text
-- $2 refresh_token_sealed text: as it was when the lease was claimed
-- $3 is_unspent boolean: Discord did not take the refresh token, and no earlier refresh is unanswered
-- $4 retry_at timestamptz: when upkeep tries the refresh again
-- nothing
update discord_token
set
  leased_until = case when end_reason is null then null else leased_until end,
  refresh_unanswered_since = case when $3 then null else refresh_unanswered_since end,
  refresh_failures = refresh_failures + 1,
  refresh_retry_at = $4
where discord_user_id = $1 and refresh_token_sealed = $2
