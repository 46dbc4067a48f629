-- Removes flows that were never finished.
-- $1 created_before timestamptz
-- nothing
delete from flow
where created_at < $1
