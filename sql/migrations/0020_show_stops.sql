-- Work that nobody waits for is stopped by refusals of any ten minutes, not of fixed ones; and since when it is stopped is
-- kept, so that an operator can be told. docs/decisions/0044
-- Lock: access exclusive on upstream_budget, which has two rows, for a moment.
-- The previous release runs on it: it does not know the new columns. It counts refusals in the old ones, which both write,
-- by fixed ten minutes, until its last process is gone.

-- Refusals by the minute in which they were stored, in minutes since 1970. Those that are too old are dropped.
alter table upstream_budget add column refusal_minutes jsonb not null default '{}';
alter table upstream_budget add constraint upstream_budget_refusal_minutes_check
check (jsonb_typeof(refusal_minutes) = 'object') not valid;
-- Since when the work is stopped without a gap; null if it is not, or if the previous release has stopped it.
alter table upstream_budget add column blocked_since timestamptz;
