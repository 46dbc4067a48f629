-- Reschedules the end of a grant after a failure, counts the failure, and frees the lease. If the member has signed in
-- again since, the tokens are no longer to end, and nothing changes.
-- $1 issuer text
-- $2 subject text
-- $3 end_due_at timestamptz
-- nothing
update organisation_token
set
  end_due_at = $3,
  end_failures = end_failures + 1,
  leased_until = null
where issuer = $1 and subject = $2 and end_due_at is not null
