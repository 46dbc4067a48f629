-- Ends a session.
-- $1 session_id_hash text
-- $2 action text: signed_out by the member, or session_ended by Discord
-- $3 request_id text
-- $4 now timestamptz
-- nothing
with ended as (
  delete from session
  where session_id_hash = $1
  returning discord_user_id
)

insert into audit_event (occurred_at, action, discord_user_id, request_id)
select
  $4,
  $2,
  ended.discord_user_id,
  $3
from ended
