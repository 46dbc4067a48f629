-- Everything that is stored of a member, except the trail, the sessions and the flows. For secrets it only says whether
-- they exist.
-- $1 discord_user_id text
-- row: discord_user_id text, username text, global_name text, created_at timestamptz, updated_at timestamptz,
-- row: scope text, link_state text, discord_expires_at timestamptz, obtained_at timestamptz, end_reason text,
-- row: discord_ended_at timestamptz, discord_end_cause text, token_refused_at timestamptz, linked_at timestamptz,
-- row: imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text, pushed_at timestamptz, cleared_at timestamptz,
-- row: clear_cause text, push_due_at timestamptz, push_failures integer, push_failed_code text, sync_asked_at timestamptz,
-- row: check_due_at timestamptz, check_failures integer, check_failed_code text, reconciled_at timestamptz,
-- row: disconnected_at timestamptz, loss_found_at timestamptz, loss_due_at timestamptz, lost_at timestamptz,
-- row: gone_at timestamptz, gone_source text, issuer text, subject text, claims jsonb, sources jsonb, claims_seen_at timestamptz, organisation_created_at timestamptz,
-- row: organisation_token_obtained_at timestamptz, organisation_expires_at timestamptz,
-- row: has_organisation_refresh_token boolean, replaced_token_count integer, organisation_unanswered_since timestamptz,
-- row: organisation_refusals integer, organisation_ended_at timestamptz, organisation_end_cause text,
-- row: role_connection_left_at timestamptz
select
  discord_account.discord_user_id,
  discord_account.username,
  discord_account.global_name,
  discord_account.created_at,
  discord_account.updated_at,
  discord_token.scope,
  case
    when link.discord_user_id is not null then link_state(
      link.cleared_at, link.loss_found_at, link.disconnected_at, link.pushed_at, link.push_due_at
    )
  end as link_state,
  discord_token.expires_at as discord_expires_at,
  discord_token.obtained_at,
  discord_token.end_reason,
  discord_token.ended_at as discord_ended_at,
  discord_token.end_cause as discord_end_cause,
  link.token_refused_at,
  link.linked_at,
  link.imported_at,
  link.pushed_metadata,
  link.pushed_platform_username,
  link.pushed_at,
  link.cleared_at,
  link.clear_cause,
  link.push_due_at,
  link.push_failures,
  case when link.push_failures > 0 then link.push_failed_code end as push_failed_code,
  link.sync_asked_at,
  link.check_due_at,
  link.check_failures,
  link.check_failed_code,
  link.reconciled_at,
  link.disconnected_at,
  link.loss_found_at,
  link.loss_due_at,
  link.lost_at,
  link.gone_at,
  link.gone_source,
  link.issuer,
  link.subject,
  organisation_account.claims,
  organisation_account.sources,
  organisation_account.claims_seen_at,
  organisation_account.created_at as organisation_created_at,
  organisation_token.obtained_at as organisation_token_obtained_at,
  organisation_token.expires_at as organisation_expires_at,
  organisation_token.refresh_token_sealed is not null as has_organisation_refresh_token,
  coalesce(jsonb_array_length(organisation_token.replaced_tokens), 0) as replaced_token_count,
  organisation_token.refresh_unanswered_since as organisation_unanswered_since,
  organisation_token.refresh_refusals as organisation_refusals,
  organisation_token.ended_at as organisation_ended_at,
  organisation_token.end_cause as organisation_end_cause,
  role_connection_left.left_at as role_connection_left_at
from discord_account
left join discord_token on discord_account.discord_user_id = discord_token.discord_user_id
left join link on discord_account.discord_user_id = link.discord_user_id
left join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
left join role_connection_left on discord_account.discord_user_id = role_connection_left.discord_user_id
left join organisation_token on link.issuer = organisation_token.issuer and link.subject = organisation_token.subject
where discord_account.discord_user_id = $1
