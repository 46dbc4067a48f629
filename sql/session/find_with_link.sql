-- A session that has not ended, as `find.sql` finds it, with everything that is shown of the member's link. The claims may
-- be large, so only what shows the link reads them, and the organisation's tokens and the brake with them.
-- $1 session_id_hash text
-- $2 idle_since timestamptz: a session last used before this has ended
-- $3 now timestamptz
-- $4 session_key_hashes text: of the keys that the browser sent, separated by commas
-- row: session_id_hash text, session_handle text, discord_user_id text, access_token_sealed text, refresh_token_sealed text,
-- row: token_expires_at timestamptz, last_used_at timestamptz, refreshed_at timestamptz, username text, global_name text,
-- row: linked_at timestamptz, imported_at timestamptz, issuer text, subject text, claims jsonb, sources jsonb,
-- row: claims_seen_at timestamptz, pushed_metadata jsonb, cleared_at timestamptz, clear_cause text, pushed_at timestamptz,
-- row: push_due_at timestamptz, push_failures integer, check_due_at timestamptz, check_failures integer,
-- row: check_failed_code text, disconnected_at timestamptz, loss_found_at timestamptz, loss_due_at timestamptz,
-- row: is_loss_held boolean, lost_at timestamptz, gone_at timestamptz, has_organisation_refresh_token boolean,
-- row: organisation_expires_at timestamptz, organisation_ended_at timestamptz, organisation_end_cause text,
-- row: discord_ended_at timestamptz, is_deauthorized boolean, token_refused_at timestamptz, role_connection_left_at timestamptz
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
  link.imported_at,
  link.issuer,
  link.subject,
  organisation_account.claims,
  organisation_account.sources,
  organisation_account.claims_seen_at,
  link.pushed_metadata,
  link.cleared_at,
  link.clear_cause,
  link.pushed_at,
  link.push_due_at,
  link.push_failures,
  link.check_due_at,
  link.check_failures,
  link.check_failed_code,
  link.disconnected_at,
  link.loss_found_at,
  link.loss_due_at,
  link.loss_found_at is not null and exists (
    select from brake
    where
      brake.held_at is not null
      and (brake.released_at is null or link.loss_found_at > brake.released_at)
  ) as is_loss_held,
  link.lost_at,
  link.gone_at,
  organisation_token.refresh_token_sealed is not null as has_organisation_refresh_token,
  organisation_token.expires_at as organisation_expires_at,
  organisation_token.ended_at as organisation_ended_at,
  organisation_token.end_cause as organisation_end_cause,
  discord_token.ended_at as discord_ended_at,
  coalesce(discord_token.end_cause = 'deauthorized', false) as is_deauthorized,
  link.token_refused_at,
  role_connection_left.left_at as role_connection_left_at
from session
inner join discord_account on session.discord_user_id = discord_account.discord_user_id
left join role_connection_left on session.discord_user_id = role_connection_left.discord_user_id
left join link on session.discord_user_id = link.discord_user_id
left join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
left join discord_token on link.discord_user_id = discord_token.discord_user_id
left join organisation_token
  on link.issuer = organisation_token.issuer and link.subject = organisation_token.subject
where
  session.session_id_hash = $1
  and (session.session_key_hash is null or session.session_key_hash = any(string_to_array($4, ',')))
  and session.expires_at > $3
  and session.last_used_at > $2
