-- Stores what refreshes at the provider brought, each only if the refresh token that was spent is still stored. A member who
-- signed in in the meantime has brought newer tokens. Without a new refresh token the old one stays.
-- rows: subject text
with given as not materialized (
  select
    $1::text as issuer,
    $2::jsonb as tokens -- a list of {subject, spent_refresh_token as it was claimed, access_token, and so on}
),

refreshed as (
  select
    token.subject,
    token.spent_refresh_token,
    token.access_token,
    token.refresh_token,
    token.expires_at,
    token.obtained_at
  from given
  cross join jsonb_to_recordset(given.tokens) as token (
    subject text,
    spent_refresh_token text,
    access_token text,
    refresh_token text, -- null if the provider gave none
    expires_at timestamptz, -- null if the provider did not say
    obtained_at timestamptz
  )
  -- So PostgreSQL expects few rows, and goes by indexes. docs/decisions/0043
  limit (select jsonb_array_length(given.tokens) from given)
),

-- In the order of docs/decisions/0028.
locked as (
  select
    organisation_token.issuer,
    organisation_token.subject,
    refreshed.access_token,
    refreshed.refresh_token,
    refreshed.expires_at,
    refreshed.obtained_at
  from given
  cross join refreshed
  inner join organisation_token
    on given.issuer = organisation_token.issuer and refreshed.subject = organisation_token.subject
  where organisation_token.refresh_token_sealed = refreshed.spent_refresh_token
  order by organisation_token.issuer, organisation_token.subject
  for no key update of organisation_token
)

update organisation_token
set
  access_token_sealed = locked.access_token,
  refresh_token_sealed = coalesce(locked.refresh_token, organisation_token.refresh_token_sealed),
  expires_at = locked.expires_at,
  obtained_at = locked.obtained_at,
  refresh_unanswered_since = null,
  refresh_refusals = 0,
  refresh_retry_at = null
from locked
where organisation_token.issuer = locked.issuer and organisation_token.subject = locked.subject
returning organisation_token.subject
