-- Work that nobody waits for is stopped by refusals of any ten minutes, not of fixed ones; and since when it is stopped is
-- kept, so that an operator can be told. docs/decisions/0044
-- Four indexes that only an audit used are dropped, since every check, push and refresh had to write to them.
-- docs/decisions/0043
-- Lock: access exclusive on upstream_budget, link, discord_token and organisation_token, for a moment.
-- The previous release runs on it: it does not know the new columns. It counts refusals in the old ones, which both write,
-- by fixed ten minutes, until its last process is gone. Its audit takes seconds longer without the indexes.

-- Refusals by the minute in which they were stored, in minutes since 1970. Those that are too old are dropped.
alter table upstream_budget add column refusal_minutes jsonb not null default '{}';
alter table upstream_budget add constraint upstream_budget_refusal_minutes_check
check (jsonb_typeof(refusal_minutes) = 'object') not valid;
-- Since when the work is stopped without a gap; null if it is not, or if the previous release has stopped it.
alter table upstream_budget add column blocked_since timestamptz;

-- Dropping an index takes no longer than its lock, which migrations wait for within a limit.
-- squawk-ignore require-concurrent-index-deletion
drop index link_read_back_idx;
-- squawk-ignore require-concurrent-index-deletion
drop index discord_token_refresh_unanswered_since_idx;
-- squawk-ignore require-concurrent-index-deletion
drop index discord_token_keys_idx;
-- squawk-ignore require-concurrent-index-deletion
drop index organisation_token_keys_idx;
