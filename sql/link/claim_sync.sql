-- Claims a member's link for a push that the member asks for, at most once a minute. is_claimed is false if
-- it is too soon; no row says that no link exists. An earlier request beyond what a correct clock can write does not
-- count.
-- $1 discord_user_id text
-- $2 asked_before timestamptz: a request before this no longer counts
-- $3 leased_until timestamptz
-- $4 now timestamptz
-- row: discord_user_id text, username text, issuer text, subject text, claims jsonb, sources jsonb,
-- row: linked_at timestamptz, pushed_metadata jsonb, pushed_platform_username text, cleared_at timestamptz,
-- row: clear_cause text, loss_found_at timestamptz, access_token_sealed text, discord_expires_at timestamptz,
-- row: push_failures integer, gone_at timestamptz, token_refused_at timestamptz, organisation_ended_at timestamptz,
-- row: organisation_end_cause text, is_claimed boolean, sync_asked_at timestamptz
with claimed as (
  update link
  set
    sync_asked_at = $4,
    push_due_at = push_due_beside(push_leased_until, $3, $4),
    push_leased_until = $3
  where
    discord_user_id = $1
    and (sync_asked_at is null or sync_asked_at <= $2 or sync_asked_at > $4::timestamptz + interval '5 minutes')
  returning
    discord_user_id,
    issuer,
    subject,
    linked_at,
    pushed_metadata,
    pushed_platform_username,
    cleared_at,
    clear_cause,
    loss_found_at,
    push_failures
)

select
  link.discord_user_id,
  discord_account.username,
  organisation_account.issuer,
  organisation_account.subject,
  organisation_account.claims,
  organisation_account.sources,
  coalesce(claimed.linked_at, link.linked_at) as linked_at,
  claimed.pushed_metadata,
  claimed.pushed_platform_username,
  claimed.cleared_at,
  claimed.clear_cause,
  claimed.loss_found_at,
  discord_token.access_token_sealed,
  discord_token.expires_at as discord_expires_at,
  coalesce(claimed.push_failures, link.push_failures) as push_failures,
  link.gone_at,
  link.token_refused_at,
  organisation_token.ended_at as organisation_ended_at,
  organisation_token.end_cause as organisation_end_cause,
  claimed.discord_user_id is not null as is_claimed,
  link.sync_asked_at
from link
left join claimed on link.discord_user_id = claimed.discord_user_id
inner join discord_account on link.discord_user_id = discord_account.discord_user_id
inner join discord_token on link.discord_user_id = discord_token.discord_user_id
inner join organisation_account
  on
    coalesce(claimed.issuer, link.issuer) = organisation_account.issuer
    and coalesce(claimed.subject, link.subject) = organisation_account.subject
left join organisation_token
  on organisation_account.issuer = organisation_token.issuer and organisation_account.subject = organisation_token.subject
where link.discord_user_id = $1
