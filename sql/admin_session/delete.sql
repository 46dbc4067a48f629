-- Ends a sign-in to the page of administrators.
-- $1 session_id_hash text
-- nothing
delete from admin_session
where session_id_hash = $1
