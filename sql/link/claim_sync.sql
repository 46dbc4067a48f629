-- Claims a member's link for a push that the member asks for, at most once a minute. A row without tokens says that it
-- is too soon; no row says that no link exists. An earlier request beyond what a correct clock can write does not
-- count.
-- $1 discord_user_id text
-- $2 asked_before timestamptz: a request before this no longer counts
-- $3 leased_until timestamptz
-- $4 now timestamptz
-- row: discord_user_id text, sync_asked_at timestamptz, claims jsonb, access_token_sealed text, discord_expires_at timestamptz,
-- row: push_failures integer
with claimed as (
  update link
  set
    sync_asked_at = $4,
    push_due_at = $3,
    push_leased_until = $3
  where
    discord_user_id = $1
    and (sync_asked_at is null or sync_asked_at <= $2 or sync_asked_at > $4::timestamptz + interval '5 minutes')
  returning discord_user_id, issuer, subject, push_failures
)

select
  link.discord_user_id,
  link.sync_asked_at,
  organisation_account.claims,
  discord_token.access_token_sealed,
  discord_token.expires_at as discord_expires_at,
  claimed.push_failures
from link
left join claimed on link.discord_user_id = claimed.discord_user_id
left join organisation_account
  on claimed.issuer = organisation_account.issuer and claimed.subject = organisation_account.subject
left join discord_token on claimed.discord_user_id = discord_token.discord_user_id
where link.discord_user_id = $1
