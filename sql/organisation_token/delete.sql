-- Removes the tokens of a grant that has ended at the provider, if they are still the ones that were claimed, and the
-- account if no link and no flow needs it. If a sign-in has brought other tokens since, nothing is removed: those
-- tokens and the earlier ones end together.
-- $1 issuer text
-- $2 subject text
-- $3 access_token_sealed text: as it was when the end was claimed
-- $4 now timestamptz
-- $5 last_replaced_token_sealed text, null if there was no replaced token when the end was claimed
-- nothing
with locked_account as (
  select issuer, subject
  from organisation_account
  where issuer = $1 and subject = $2
  for update
),

ended as (
  delete from organisation_token
  using locked_account
  where
    organisation_token.issuer = locked_account.issuer
    and organisation_token.subject = locked_account.subject
    and organisation_token.access_token_sealed = $3
    and organisation_token.replaced_tokens -> -1 ->> 'sealed' is not distinct from $5
    and organisation_token.end_due_at is not null
  returning organisation_token.issuer, organisation_token.subject
),

account as (
  delete from organisation_account
  using ended
  where
    organisation_account.issuer = ended.issuer
    and organisation_account.subject = ended.subject
    and not exists (select from link where link.issuer = ended.issuer and link.subject = ended.subject)
    and not exists (select from flow where flow.issuer = ended.issuer and flow.subject = ended.subject)
)

insert into audit_event (occurred_at, action, issuer, subject)
select $4, 'provider_grant_ended', ended.issuer, ended.subject
from ended
