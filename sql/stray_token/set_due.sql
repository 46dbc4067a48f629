-- Reschedules a stray token after a failure, and counts the failure.
-- $1 stray_token_id text
-- $2 due_at timestamptz
-- nothing
update stray_token
set
  due_at = $2,
  failures = failures + 1
where stray_token_id = $1
