-- Records that a push failed and when the next is due.
-- $1 discord_user_id text
-- $2 push_due_at timestamptz
-- $3 request_id text, null for a push that no request asked for
-- $4 now timestamptz
-- nothing
with failed as (
  update link
  set
    push_due_at = $2,
    push_failures = push_failures + 1
  where discord_user_id = $1
  returning discord_user_id, issuer, subject
)

insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
select
  $4,
  'push_failed',
  failed.discord_user_id,
  failed.issuer,
  failed.subject,
  $3
from failed
