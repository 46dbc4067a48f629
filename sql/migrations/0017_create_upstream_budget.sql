-- What all processes together may ask of Discord and of the provider, and whether work that nobody waits for is stopped
-- there. docs/decisions/0044
-- Lock: none, the table is new. The previous release runs on it: it does not know the table, and keeps to a pace of its own.

-- A row for each upstream, made by the first call.
create table upstream_budget (
  upstream text not null,
  -- Everything before this time is reserved.
  free_at timestamptz not null,
  -- How often Discord has answered 401, 403 or 429 since then; it counts for ten minutes.
  refusals integer not null,
  refusals_since timestamptz not null,
  -- Until when that work is stopped, and why: this address is blocked, Discord's global limit, or too many refusals. Both
  -- stay when the time is over.
  blocked_until timestamptz,
  block_cause text,
  -- How often the address was blocked without a good answer after it.
  blocks integer not null,
  constraint upstream_budget_pkey primary key (upstream),
  constraint upstream_budget_upstream_check check (upstream in ('discord', 'provider')),
  constraint upstream_budget_refusals_check check (refusals >= 0),
  constraint upstream_budget_blocks_check check (blocks >= 0),
  constraint upstream_budget_block_cause_check check (block_cause in ('address', 'global', 'refusals')),
  constraint upstream_budget_block_check check ((blocked_until is null) = (block_cause is null))
);
