-- Records that a push failed and when the next one is due. A push that has outlived its lease records nothing, because
-- another process may have pushed since.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 push_due_at timestamptz
-- $4 request_id text, null for a push of upkeep
-- $5 now timestamptz
-- nothing
with failed as (
  update link
  set
    push_due_at = $3,
    push_failures = push_failures + 1
  where discord_user_id = $1 and push_due_at = $2
  returning discord_user_id, issuer, subject
)

insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
select
  $5,
  'push_failed',
  failed.discord_user_id,
  failed.issuer,
  failed.subject,
  $4
from failed
