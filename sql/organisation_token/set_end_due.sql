-- Puts off the end of a grant that failed, counts the failure, and frees the lease. A member who signed in again since
-- has brought tokens that are not to end.
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
