-- Claims grants that are to end at the provider. No other process takes them until the lease ends. A time beyond what a
-- correct clock can write counts as now.
-- $1 limit bigint
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- rows: issuer text, subject text, access_token_sealed text, refresh_token_sealed text, replaced_tokens jsonb,
-- rows: end_failures integer
with due as (
  select organisation_token.issuer, organisation_token.subject
  from organisation_token
  where
    -- Tells the planner that few rows match, whatever the values.
    organisation_token.end_due_at is not null
    and (
      organisation_token.end_due_at <= $3
      or organisation_token.end_due_at > $3::timestamptz + interval '2 hours'
    )
    and not is_leased(organisation_token.leased_until, $3)
  order by organisation_token.end_due_at
  limit $1
  for update skip locked
)

update organisation_token
set leased_until = $2
from due
where organisation_token.issuer = due.issuer and organisation_token.subject = due.subject
returning
  organisation_token.issuer,
  organisation_token.subject,
  organisation_token.access_token_sealed,
  organisation_token.refresh_token_sealed,
  organisation_token.replaced_tokens,
  organisation_token.end_failures
