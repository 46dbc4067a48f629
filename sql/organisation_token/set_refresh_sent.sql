-- Records that refreshes at the provider are about to be sent, each only if the refresh token is still the one that is
-- sent. Until their answers are stored they count as unanswered, because this process may die before that. A grant that
-- does not come back has other tokens by now, or the same under another key: what was claimed must not be sent.
-- rows: subject text
with given as not materialized (
  select
    $1::text as issuer,
    $2::jsonb as tokens, -- a list of {subject, refresh_token as it was claimed}
    $3::timestamptz as now
),

sent as (
  select
    token.subject,
    token.refresh_token
  from given
  cross join jsonb_to_recordset(given.tokens) as token (subject text, refresh_token text)
  -- So PostgreSQL expects few rows, and goes by indexes. docs/decisions/0043
  limit (select jsonb_array_length(given.tokens) from given)
),

-- In the order of docs/decisions/0028.
sending as (
  select organisation_token.issuer, organisation_token.subject
  from given
  cross join sent
  inner join organisation_token
    on given.issuer = organisation_token.issuer and sent.subject = organisation_token.subject
  where organisation_token.refresh_token_sealed = sent.refresh_token
  order by organisation_token.issuer, organisation_token.subject
  for no key update of organisation_token
)

update organisation_token
set refresh_unanswered_since = coalesce(organisation_token.refresh_unanswered_since, given.now)
from given, sending
where
  organisation_token.issuer = sending.issuer
  and organisation_token.subject = sending.subject
returning organisation_token.subject
