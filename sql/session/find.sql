-- A session that has not ended, with what is known of the member: one look for all that a request of theirs needs.
-- $1 session_id_hash text
-- $2 idle_since timestamptz: a session last used before this has ended
-- $3 now timestamptz
-- row: session_id_hash text, session_handle text, discord_user_id text, access_token_sealed text, refresh_token_sealed text,
-- row: token_expires_at timestamptz, last_used_at timestamptz, username text, global_name text,
-- row: linked_at timestamptz, claims jsonb, pushed_metadata jsonb, pushed_at timestamptz, push_due_at timestamptz,
-- row: push_failures integer, role_connection_left_at timestamptz
select
  session.session_id_hash,
  session.session_handle,
  session.discord_user_id,
  session.access_token_sealed,
  session.refresh_token_sealed,
  session.token_expires_at,
  session.last_used_at,
  discord_account.username,
  discord_account.global_name,
  link.linked_at,
  organisation_account.claims,
  link.pushed_metadata,
  link.pushed_at,
  link.push_due_at,
  link.push_failures,
  role_connection_left.left_at as role_connection_left_at
from session
inner join discord_account on session.discord_user_id = discord_account.discord_user_id
left join role_connection_left on session.discord_user_id = role_connection_left.discord_user_id
left join link on session.discord_user_id = link.discord_user_id
left join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
where session.session_id_hash = $1 and session.expires_at > $3 and session.last_used_at > $2
