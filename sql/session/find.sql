-- A session that has not ended, with everything that a request of its member needs. An id without its key finds no row,
-- like an unknown id. A session that an earlier release began has no hash of its key: for that one, only opening the
-- token shows whether the key is right. The claims may be large, so the statement reads only the names, unless the rules
-- are to be evaluated.
-- $1 session_id_hash text
-- $2 idle_since timestamptz: a session last used before this has ended
-- $3 now timestamptz
-- $4 session_key_hashes text: of the keys that the browser sent, separated by commas
-- $5 with_claims boolean: whether the claims and the sources are wanted, which are null otherwise
-- row: session_id_hash text, session_handle text, discord_user_id text, access_token_sealed text, refresh_token_sealed text,
-- row: token_expires_at timestamptz, last_used_at timestamptz, refreshed_at timestamptz, username text, global_name text,
-- row: linked_at timestamptz, organisation_names jsonb, issuer text, subject text, claims jsonb, sources jsonb,
-- row: pushed_metadata jsonb, cleared_at timestamptz, pushed_at timestamptz, push_due_at timestamptz, push_failures integer,
-- row: role_connection_left_at timestamptz
select
  session.session_id_hash,
  session.session_handle,
  session.discord_user_id,
  session.access_token_sealed,
  session.refresh_token_sealed,
  session.token_expires_at,
  session.last_used_at,
  session.refreshed_at,
  discord_account.username,
  discord_account.global_name,
  link.linked_at,
  (
    select jsonb_build_object('preferred_username', claim.preferred_username, 'name', claim.name)
    from jsonb_to_record(organisation_account.claims) as claim (preferred_username jsonb, name jsonb)
  ) as organisation_names,
  link.issuer,
  link.subject,
  case when $5 then organisation_account.claims end as claims,
  case when $5 then organisation_account.sources end as sources,
  link.pushed_metadata,
  link.cleared_at,
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
where
  session.session_id_hash = $1
  and (session.session_key_hash is null or session.session_key_hash = any(string_to_array($4, ',')))
  and session.expires_at > $3
  and session.last_used_at > $2
