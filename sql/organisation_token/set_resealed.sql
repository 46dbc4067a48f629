-- Stores tokens that were sealed again, each grant's only if the row still has those that were read. What compares sealed
-- tokens must find them as it has claimed them: so a row under a lease of its own or of a check stays as it is, and one
-- whose refresh has had no answer for less than a day. Rows that are locked stay too. The token that was crowded out is
-- a copy of a stray token's, and is forgotten.
-- rows: issuer text, subject text
with given as not materialized (
  select
    $1::jsonb as tokens, -- a list of {issuer, subject, access_token, held_access_token, and so on}
    $2::timestamptz as now
),

-- In the order of docs/decisions/0028.
locked as (
  select
    organisation_token.issuer,
    organisation_token.subject,
    token.access_token,
    token.refresh_token,
    token.replaced_tokens
  from given
  cross join jsonb_to_recordset(given.tokens) as token (
    issuer text,
    subject text,
    held_access_token text,
    held_refresh_token text,
    held_replaced_tokens jsonb,
    access_token text,
    refresh_token text,
    replaced_tokens jsonb
  )
  inner join organisation_token
    on token.issuer = organisation_token.issuer and token.subject = organisation_token.subject
  where
    organisation_token.access_token_sealed = token.held_access_token
    and organisation_token.refresh_token_sealed is not distinct from token.held_refresh_token
    and organisation_token.replaced_tokens = token.held_replaced_tokens
    and not is_leased(organisation_token.leased_until, given.now)
    and (
      organisation_token.refresh_unanswered_since is null
      or organisation_token.refresh_unanswered_since < given.now - interval '1 day'
    )
    and not exists (
      select from link
      where
        link.issuer = organisation_token.issuer
        and link.subject = organisation_token.subject
        and is_leased(link.check_leased_until, given.now)
    )
  order by organisation_token.issuer, organisation_token.subject
  for no key update of organisation_token skip locked
)

update organisation_token
set
  access_token_sealed = locked.access_token,
  refresh_token_sealed = locked.refresh_token,
  replaced_tokens = locked.replaced_tokens,
  crowded_out_token = null
from locked
where organisation_token.issuer = locked.issuer and organisation_token.subject = locked.subject
returning organisation_token.issuer, organisation_token.subject
