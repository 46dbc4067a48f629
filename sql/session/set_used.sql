-- Records that a session was used, so that it does not end for lack of use. Many requests at the same time record it
-- once. A session that an earlier release began gets the hash of its key, which the caller has proved.
-- $1 session_id_hash text
-- $2 used_before timestamptz: a use recorded after this is recent enough
-- $3 now timestamptz
-- $4 session_key_hash text
-- nothing
update session
set
  last_used_at = $3,
  session_key_hash = coalesce(session_key_hash, $4)
where session_id_hash = $1 and last_used_at <= $2
