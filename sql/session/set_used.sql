-- Records that a session was used, which keeps it from ending for want of use.
-- $1 session_id_hash text
-- $2 now timestamptz
-- nothing
update session
set last_used_at = $2
where session_id_hash = $1
