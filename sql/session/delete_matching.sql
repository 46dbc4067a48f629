-- Ends sessions because an operator wants it, up to a limit: those of one member or of all, whenever or not lately used. Each
-- member's trail keeps who did it, and how many sessions ended.
-- $1 discord_user_id text, null for every member
-- $2 used_before timestamptz, null for each session
-- $3 limit bigint
-- $4 operator text
-- $5 now timestamptz
-- row: deleted integer
with locked as (
  select session.session_id_hash
  from session
  where
    ($1::text is null or session.discord_user_id = $1)
    and ($2::timestamptz is null or session.last_used_at < $2)
  order by session.session_id_hash
  limit $3
  for update
),

ended as (
  delete from session
  using locked
  where session.session_id_hash = locked.session_id_hash
  returning session.discord_user_id
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, operator, detail)
  select $5, 'sessions_purged', ended.discord_user_id, $4, jsonb_build_object('sessions', count(*))
  from ended
  group by ended.discord_user_id
)

select count(*)::integer as deleted
from ended
