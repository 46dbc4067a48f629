-- Reschedules the clearing of a role connection that an earlier grant left, and counts the failure.
-- $1 discord_user_id text
-- $2 leased_until timestamptz: as it was claimed
-- $3 clear_due_at timestamptz
-- nothing
update discord_token
set
  clear_due_at = $3,
  end_failures = end_failures + 1
where discord_user_id = $1 and clear_due_at = $2 and end_reason is null
