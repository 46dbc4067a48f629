-- Reads the next rows of the trail, up to a limit, and deletes those that are old and whose person has no link. No other
-- statement may delete from the trail. `read` is 0 if it is not time, or if another process is at it.
-- $1 occurred_before timestamptz
-- $2 now timestamptz
-- $3 limit bigint
-- row: read integer, deleted integer
select
  outcome.read,
  outcome.deleted
from delete_old_audit_events($1, $2, $3) as outcome
