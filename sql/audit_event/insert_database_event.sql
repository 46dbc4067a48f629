-- Adds to the trail that an operator has restored or moved the database. The row is of no member.
-- $1 action text
-- $2 operator text
-- $3 detail jsonb: what was restored or moved
-- $4 now timestamptz
-- nothing
insert into audit_event (occurred_at, action, operator, detail)
values ($4, $1, $2, $3)
