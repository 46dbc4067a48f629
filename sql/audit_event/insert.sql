-- Adds an event to the trail for an action that changes no other row.
-- $1 action text
-- $2 discord_user_id text
-- $3 request_id text
-- $4 now timestamptz
-- nothing
insert into audit_event (occurred_at, action, discord_user_id, request_id)
values ($4, $1, $2, $3)
