-- Records that Discord took the role connection.
-- $1 discord_user_id text
-- $2 pushed_metadata jsonb
-- $3 request_id text, null for a push that no request asked for
-- $4 now timestamptz
-- nothing
with pushed as (
  update link
  set
    pushed_metadata = $2,
    pushed_at = $4,
    push_due_at = null,
    push_failures = 0
  where discord_user_id = $1
  returning discord_user_id, issuer, subject
)

insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
select
  $4,
  'role_connection_pushed',
  pushed.discord_user_id,
  pushed.issuer,
  pushed.subject,
  $3
from pushed
