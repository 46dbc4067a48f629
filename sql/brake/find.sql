-- What decides whether losses are held, if any loss is due or is held; no row otherwise. Links are counted only where
-- that matters.
-- $1 lost_after timestamptz: losses since then count
-- $2 least bigint: fewer losses are never held
-- $3 now timestamptz
-- row: looked_at timestamptz, held_at timestamptz, released_at timestamptz, waiting integer, due integer, gone_due integer,
-- row: found integer, links integer, is_left_to_see boolean, seen integer, seen_losing integer
with waiting as (
  select
    link.loss_found_at,
    link.gone_at is not null as is_gone,
    link.loss_due_at <= $3 or link.loss_due_at > $3::timestamptz + interval '7 hours' as is_due
  from link
  where link.loss_due_at is not null
),

state as (
  select
    brake.looked_at,
    brake.held_at,
    brake.released_at,
    brake.seen_after,
    greatest($1, brake.released_at) as counted_after
  from (select) as one
  left join brake on true
  -- There is one row. The planner would take an empty table for a thousand, and compile the statement each time.
  limit 1
),

counted as (
  select
    (
      select count(*)
      from waiting
      where state.released_at is null or waiting.loss_found_at > state.released_at
    )
    + (
      select count(*)
      from link
      where link.loss_counted_at > state.counted_after
    ) as found
  from state
)

select
  state.looked_at,
  state.held_at,
  state.released_at,
  (select count(*) from waiting)::integer as waiting,
  (select count(*) from waiting where waiting.is_due)::integer as due,
  (select count(*) from waiting where waiting.is_due and waiting.is_gone)::integer as gone_due,
  counted.found::integer as found,
  case when counted.found >= $2 then (select count(*) from link) else 0 end::integer as links,
  exists (
    select from link
    where
      link.check_due_at <= state.looked_at
      or (
        link.check_due_at between $3 and $3::timestamptz + interval '15 minutes'
        and is_leased(link.check_leased_until, $3)
      )
  ) as is_left_to_see,
  (
    select count(*)
    from organisation_account
    inner join link on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
    where organisation_account.claims_seen_at > state.seen_after
  )::integer as seen,
  (
    select count(*)
    from organisation_account
    inner join link on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
    where
      organisation_account.claims_seen_at > state.seen_after
      and (
        link.loss_due_at is not null and (state.released_at is null or link.loss_found_at > state.released_at)
        or link.loss_counted_at > greatest(state.seen_after, state.released_at)
      )
  )::integer as seen_losing
from state
cross join counted
where state.held_at is not null or exists (select from waiting)
