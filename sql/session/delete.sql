-- Ends a session. If a token is given, the session ends only if it still has that token.
-- $1 session_id_hash text
-- $2 action text: signed_out for the member's wish, session_ended for Discord's
-- $3 request_id text
-- $4 now timestamptz
-- $5 access_token_sealed text, null to end it with any token
-- row: session_id_hash text, discord_user_id text
with ended as (
  delete from session
  where session_id_hash = $1 and ($5::text is null or access_token_sealed = $5)
  returning session_id_hash, discord_user_id
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, request_id)
  select $4, $2, ended.discord_user_id, $3
  from ended
)

select
  ended.session_id_hash,
  ended.discord_user_id
from ended
