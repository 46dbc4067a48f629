-- Reserves calls at an upstream for work that nobody waits for, and stores what this process has met there since its last
-- reservation. The calls of members come first. While that work is stopped, nothing is reserved. docs/decisions/0044 says
-- more. What is reserved ends at free_at.
-- row: upstream text, free_at timestamptz, blocked_since timestamptz, blocked_until timestamptz, block_cause text
with given as not materialized (
  select
    $1::text as upstream,
    $2::integer as calls, -- to be reserved; with 0 it stores and reads
    $3::integer as per_second,
    $4::integer as member_calls, -- that members' requests have made just now
    $5::integer as refusals, -- answers of 401, 403 and 429
    $6::timestamptz as good_at, -- null without a good answer
    $7::timestamptz as page_at, -- null if no page said that the address is blocked
    $8::timestamptz as global_until, -- null if no answer spoke of the global limit
    $9::timestamptz as now
),

-- The row that everything follows from is the one that this statement has locked.
before as (
  select
    upstream_budget.upstream,
    upstream_budget.free_at,
    upstream_budget.refusal_minutes,
    upstream_budget.blocked_since,
    upstream_budget.blocked_until,
    upstream_budget.block_cause,
    upstream_budget.blocks
  from given
  inner join upstream_budget on given.upstream = upstream_budget.upstream
  for update of upstream_budget
),

-- A time that no correct clock can have written counts as now, or not at all. docs/decisions/0028
believed as (
  select
    case
      when before.free_at <= given.now + interval '6 minutes' then greatest(before.free_at, given.now)
      else given.now
    end as free_at,
    case when before.blocked_until <= given.now + interval '65 minutes' then before.blocked_until end as blocked_until,
    before.block_cause,
    before.blocked_since,
    coalesce(before.blocks, 0) as blocks
  from given
  left join before on given.upstream = before.upstream
),

-- Minutes since 1970.
minute as (
  select floor(extract(epoch from given.now) / 60)::integer as this
  from given
),

-- Refusals by the minute in which they were stored, with those of now. They count for fifteen minutes and the rest of one:
-- ten, and five by which clocks may differ.
refusal_minute as (
  select
    kept.stored_in as minute,
    sum(kept.refusals) as refusals,
    sum(sum(kept.refusals)) over (order by kept.stored_in desc) as since_then
  from given
  cross join minute
  cross join lateral (
    select
      case when stored.key::integer <= minute.this + 5 then stored.key::integer else minute.this end as stored_in,
      stored.value::integer as refusals
    from before
    cross join jsonb_each_text(before.refusal_minutes) as stored
    union all
    select
      minute.this as stored_in,
      given.refusals
    where given.refusals > 0
  ) as kept
  where kept.stored_in >= minute.this - 15
  group by kept.stored_in
),

refused as (
  select
    coalesce(jsonb_object_agg(refusal_minute.minute, refusal_minute.refusals), '{}') as refusal_minutes,
    coalesce(sum(refusal_minute.refusals), 0) as refusals,
    to_timestamp(min(refusal_minute.minute) * 60) as refusals_since,
    -- When so many are too old that fewer are left than stop the work.
    to_timestamp((max(refusal_minute.minute) filter (where refusal_minute.since_then >= 1500) + 16) * 60) as refusals_until
  from refusal_minute
),

counted as (
  select
    believed.free_at + interval '1 second' * (given.member_calls::double precision / given.per_second) as starts_at,
    believed.blocked_since,
    believed.blocked_until,
    believed.block_cause,
    -- A good answer ends the row of blocks, once the last of them is over.
    case
      when given.good_at > coalesce(believed.blocked_until, '-infinity') then 0
      else believed.blocks
    end as blocks,
    -- Many calls meet the same block. Another one begins only when this one is over.
    coalesce(
      given.page_at >= coalesce(believed.blocked_until, '-infinity')
      or (believed.block_cause <> 'address' and given.page_at is not null),
      false
    ) as is_blocked_again
  from given
  cross join believed
),

stopped as (
  select
    counted.starts_at,
    counted.blocked_since,
    counted.blocked_until,
    counted.block_cause,
    counted.blocks + case when counted.is_blocked_again then 1 else 0 end as blocks,
    -- A minute, two, four, up to an hour.
    case
      when counted.is_blocked_again
        then given.page_at + interval '1 minute' * least(60, power(2, least(counted.blocks, 6)))
    end as address_until,
    given.global_until
  from given
  cross join counted
),

after as (
  select
    stopped.starts_at,
    stopped.blocked_since,
    stopped.blocked_until,
    stopped.block_cause,
    stopped.blocks,
    stopped.address_until,
    stopped.global_until,
    refused.refusals_until,
    refused.refusal_minutes,
    refused.refusals,
    refused.refusals_since,
    greatest(
      stopped.blocked_until, stopped.address_until, refused.refusals_until, stopped.global_until
    ) as stopped_until
  from stopped
  cross join refused
)

insert into upstream_budget (
  upstream, free_at, refusals, refusals_since, refusal_minutes, blocked_since, blocked_until, block_cause, blocks
)
select
  given.upstream,
  after.starts_at
  + case
    when after.stopped_until > given.now then interval '0'
    else interval '1 second' * (given.calls::double precision / given.per_second)
  end,
  after.refusals,
  coalesce(after.refusals_since, given.now),
  after.refusal_minutes,
  -- Stops that follow each other without a gap are one.
  case
    when after.stopped_until <= given.now then null
    when after.blocked_until > given.now then coalesce(after.blocked_since, given.now)
    when after.stopped_until > given.now then given.now
  end,
  after.stopped_until,
  case after.stopped_until
    when after.refusals_until then 'refusals'
    when after.address_until then 'address'
    when after.global_until then 'global'
    when after.blocked_until then after.block_cause
  end,
  after.blocks
from given
cross join after
on conflict (upstream) do update
  set
    free_at = excluded.free_at,
    refusals = excluded.refusals,
    refusals_since = excluded.refusals_since,
    refusal_minutes = excluded.refusal_minutes,
    blocked_since = excluded.blocked_since,
    blocked_until = excluded.blocked_until,
    block_cause = excluded.block_cause,
    blocks = excluded.blocks
returning
  upstream_budget.upstream,
  upstream_budget.free_at,
  upstream_budget.blocked_since,
  upstream_budget.blocked_until,
  upstream_budget.block_cause
