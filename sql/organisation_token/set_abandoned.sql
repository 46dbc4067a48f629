-- Marks grants of accounts that no link and no flow needs as due to end, up to a limit. A move leaves such accounts
-- behind, whether the member confirms it or not. It reads the whole table; the claims of ends do not. Skips a grant
-- that another process works on. A time beyond what a correct clock can write counts as now.
-- $1 limit bigint
-- $2 seen_before timestamptz: an account seen later may still become a link
-- $3 now timestamptz
-- row: marked integer
with abandoned as (
  select organisation_token.issuer, organisation_token.subject
  from organisation_token
  inner join organisation_account
    on
      organisation_token.issuer = organisation_account.issuer
      and organisation_token.subject = organisation_account.subject
  where
    organisation_token.end_due_at is null
    and not is_leased(organisation_token.leased_until, $3)
    -- PostgreSQL checks this again on the locked row: a link that was made in the meantime has brought newer tokens.
    and (
      organisation_token.obtained_at < $2
      or organisation_token.obtained_at > $3::timestamptz + interval '1 hour'
    )
    and (
      organisation_account.claims_seen_at < $2
      or organisation_account.claims_seen_at > $3::timestamptz + interval '1 hour'
    )
    and not exists (
      select from link
      where link.issuer = organisation_token.issuer and link.subject = organisation_token.subject
    )
    and not exists (
      select from flow
      where flow.issuer = organisation_token.issuer and flow.subject = organisation_token.subject
    )
  limit $1
  for update of organisation_token skip locked
),

marked as (
  update organisation_token
  set
    end_due_at = $3,
    end_failures = 0,
    leased_until = null
  from abandoned
  where organisation_token.issuer = abandoned.issuer and organisation_token.subject = abandoned.subject
  returning organisation_token.subject
)

select count(*)::integer as marked
from marked
