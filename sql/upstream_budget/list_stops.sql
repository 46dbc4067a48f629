-- Where work that nobody waits for is stopped. A time beyond what a correct clock can write stops nothing.
-- $1 now timestamptz
-- rows: upstream text, blocked_since timestamptz, blocked_until timestamptz, block_cause text
select
  upstream_budget.upstream,
  upstream_budget.blocked_since,
  upstream_budget.blocked_until,
  upstream_budget.block_cause
from upstream_budget
where
  upstream_budget.blocked_until > $1
  and upstream_budget.blocked_until <= $1::timestamptz + interval '65 minutes'
order by upstream_budget.upstream
