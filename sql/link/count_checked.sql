-- How many links have claims that were read since each of two times, and how many could not be read the last time.
-- $1 day_ago timestamptz
-- $2 week_ago timestamptz
-- row: within_day integer, within_week integer, failing integer
select
  count(*) filter (where organisation_account.claims_seen_at >= $1)::integer as within_day,
  count(*) filter (where organisation_account.claims_seen_at >= $2)::integer as within_week,
  count(*) filter (where link.check_failures > 0)::integer as failing
from link
inner join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
