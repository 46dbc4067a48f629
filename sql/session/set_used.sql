-- Records that a session was used, which keeps it from ending for want of use; once, however many requests find that it
-- is time to.
-- $1 session_id_hash text
-- $2 used_before timestamptz: a use that was recorded later is enough
-- $3 now timestamptz
-- nothing
update session
set last_used_at = $3
where session_id_hash = $1 and last_used_at <= $2
