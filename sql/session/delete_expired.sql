-- Removes sessions that have ended, by age or for want of use.
-- $1 idle_since timestamptz
-- $2 now timestamptz
-- nothing
delete from session
where expires_at <= $2 or last_used_at <= $1
