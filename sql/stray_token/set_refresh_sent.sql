-- Records that the refresh of a stray pair is about to be sent, and returns since when a refresh has had no answer.
-- $1 stray_token_id text
-- $2 now timestamptz
-- row: stray_token_id text, refresh_unanswered_since timestamptz
update stray_token
set refresh_unanswered_since = coalesce(refresh_unanswered_since, $2)
where stray_token_id = $1
returning stray_token_id, refresh_unanswered_since
