-- Adds to the trail that an operator rotates the keys. The row is of no member.
-- $1 detail jsonb: the id of the key that seals from now on, and who has asked for it
-- $2 now timestamptz
-- nothing
insert into audit_event (occurred_at, action, detail)
values ($2, 'keys_rotated', $1)
