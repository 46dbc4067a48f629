-- Adds to the trail what an operator does, where no other row changes with it.
-- $1 action text
-- $2 discord_user_id text, null if it is of no member, or of many
-- $3 operator text
-- $4 detail jsonb
-- $5 now timestamptz
-- nothing
insert into audit_event (occurred_at, action, discord_user_id, operator, detail)
values ($5, $1, $2, $3, $4)
