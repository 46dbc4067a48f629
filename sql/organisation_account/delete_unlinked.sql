-- Removes organisation accounts, with their claims, that have no link, no flow and no tokens, up to a limit. Skips an
-- account whose member is signing in at this moment.
-- $1 seen_before timestamptz
-- $2 limit bigint
-- row: deleted integer
with unlinked as (
  select organisation_account.issuer, organisation_account.subject
  from organisation_account
  where
    organisation_account.claims_seen_at < $1
    and not exists (
      select from organisation_token
      where
        organisation_token.issuer = organisation_account.issuer
        and organisation_token.subject = organisation_account.subject
    )
    and not exists (
      select from link
      where link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
    )
    and not exists (
      select from flow
      where flow.issuer = organisation_account.issuer and flow.subject = organisation_account.subject
    )
  limit $2
  for update skip locked
),

deleted as (
  delete from organisation_account
  using unlinked
  where
    organisation_account.issuer = unlinked.issuer
    and organisation_account.subject = unlinked.subject
  returning organisation_account.subject
)

select count(*)::integer as deleted
from deleted
