-- Ends a member's other sessions: the one with a handle, or all of them.
-- $1 discord_user_id text
-- $2 kept_session_handle text: the session that stays
-- $3 session_handle text, null to end them all
-- $4 request_id text
-- $5 now timestamptz
-- rows: discord_user_id text, session_handle text
with locked as (
  select session_id_hash
  from session
  where
    discord_user_id = $1
    and session_handle <> $2
    and ($3::text is null or session_handle = $3)
  -- Two browsers may end each other's sessions at the same moment: docs/decisions/0028.
  order by session_id_hash
  for update
),

ended as (
  delete from session
  using locked
  where session.session_id_hash = locked.session_id_hash
  returning session.session_handle, session.discord_user_id
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, request_id)
  select $5, 'signed_out', ended.discord_user_id, $4
  from ended
)

select
  ended.discord_user_id,
  ended.session_handle
from ended
