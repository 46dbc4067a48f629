-- Claims grants that are to end at the provider: those marked so, and those of accounts that no link and no flow needs,
-- which an unconfirmed or a confirmed move left behind. Until the lease ends no other process takes them. A time that no
-- correct clock can have put so far ahead counts as now.
-- $1 limit bigint
-- $2 seen_before timestamptz: an account without a link that was seen later may still be on its way to one
-- $3 leased_until timestamptz
-- $4 now timestamptz
-- rows: issuer text, subject text, access_token_sealed text, refresh_token_sealed text, replaced_tokens jsonb,
-- rows: end_failures integer
with due as (
  select organisation_token.issuer, organisation_token.subject
  from organisation_token
  inner join organisation_account
    on
      organisation_token.issuer = organisation_account.issuer
      and organisation_token.subject = organisation_account.subject
  where
    (
      organisation_token.leased_until is null
      or organisation_token.leased_until <= $4
      or organisation_token.leased_until > $4::timestamptz + interval '15 minutes'
    )
    and (
      organisation_token.end_due_at <= $4
      or organisation_token.end_due_at > $4::timestamptz + interval '2 hours'
      or (
        organisation_token.end_due_at is null
        and (
          organisation_account.claims_seen_at < $2
          or organisation_account.claims_seen_at > $4::timestamptz + interval '1 hour'
        )
        and not exists (
          select from link
          where link.issuer = organisation_token.issuer and link.subject = organisation_token.subject
        )
        and not exists (
          select from flow
          where flow.issuer = organisation_token.issuer and flow.subject = organisation_token.subject
        )
      )
    )
  order by organisation_account.claims_seen_at
  limit $1
  for update of organisation_token skip locked
)

update organisation_token
set
  end_due_at = coalesce(organisation_token.end_due_at, $4),
  end_failures = case when organisation_token.end_due_at is null then 0 else organisation_token.end_failures end,
  leased_until = $3
from due
where organisation_token.issuer = due.issuer and organisation_token.subject = due.subject
returning
  organisation_token.issuer,
  organisation_token.subject,
  organisation_token.access_token_sealed,
  organisation_token.refresh_token_sealed,
  organisation_token.replaced_tokens,
  organisation_token.end_failures
