-- Adds to the trail what left no other trace.
-- $1 action text
-- $2 discord_user_id text
-- $3 request_id text
-- $4 now timestamptz
-- nothing
insert into audit_event (occurred_at, action, discord_user_id, request_id)
values ($4, $1, $2, $3)
