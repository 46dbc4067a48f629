-- Claims a member's link for a push that the member asks for, due or not. No row says that no link exists.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- row: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- row: linked_at timestamptz, imported_at timestamptz, pushed_metadata jsonb, pushed_platform_username text,
-- row: cleared_at timestamptz,
-- row: clear_cause text, loss_found_at timestamptz, access_token_sealed text, discord_expires_at timestamptz,
-- row: push_failures integer, gone_at timestamptz, token_refused_at timestamptz, organisation_ended_at timestamptz,
-- row: organisation_end_cause text
with claimed as (
  update link
  set
    push_due_at = push_due_beside(push_leased_until, $2, $3),
    push_leased_until = $2
  where discord_user_id = $1
  returning
    discord_user_id,
    issuer,
    subject,
    linked_at,
    imported_at,
    pushed_metadata,
    pushed_platform_username,
    cleared_at,
    clear_cause,
    loss_found_at,
    push_failures,
    gone_at,
    token_refused_at
)

select
  claimed.discord_user_id,
  discord_account.username,
  claimed.issuer,
  claimed.subject,
  organisation_account.claims,
  organisation_account.sources,
  claimed.linked_at,
  claimed.imported_at,
  claimed.pushed_metadata,
  claimed.pushed_platform_username,
  claimed.cleared_at,
  claimed.clear_cause,
  claimed.loss_found_at,
  discord_token.access_token_sealed,
  discord_token.expires_at as discord_expires_at,
  claimed.push_failures,
  claimed.gone_at,
  claimed.token_refused_at,
  organisation_token.ended_at as organisation_ended_at,
  organisation_token.end_cause as organisation_end_cause
from claimed
inner join discord_account on claimed.discord_user_id = discord_account.discord_user_id
inner join discord_token on claimed.discord_user_id = discord_token.discord_user_id
inner join organisation_account
  on claimed.issuer = organisation_account.issuer and claimed.subject = organisation_account.subject
left join organisation_token
  on claimed.issuer = organisation_token.issuer and claimed.subject = organisation_token.subject
