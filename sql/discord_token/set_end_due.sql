-- Reschedules the end of a grant after a failure, counts the failure, and frees the lease.
-- $1 discord_user_id text
-- $2 end_due_at timestamptz
-- nothing
update discord_token
set
  end_due_at = $2,
  end_failures = end_failures + 1,
  leased_until = null
where discord_user_id = $1 and end_reason is not null
