-- Each link by its state, what is due, what the brake holds, and the grants that have ended since a time. It reads the
-- table of links once; the grants that have ended have an index of their own.
-- $1 overdue_before timestamptz: anything due before this is overdue
-- $2 ended_since timestamptz
-- $3 now timestamptz
-- row: told integer, waiting integer, losing integer, disconnected integer, cleared integer, checks_due integer,
-- row: checks_overdue integer, oldest_check_due_at timestamptz, pushes_due integer, pushes_overdue integer,
-- row: oldest_push_due_at timestamptz, losses_overdue integer, held_at timestamptz, losses_held integer,
-- row: discord_grants_ended integer, provider_grants_ended integer
with held as (
  select
    max(brake.held_at) as held_at,
    max(brake.released_at) as released_at
  from brake
),

stated as (
  select
    link.check_due_at,
    link.push_due_at,
    link.loss_due_at,
    held.held_at is not null and (held.released_at is null or link.loss_found_at > held.released_at) as is_held,
    link_state(
      link.cleared_at, link.loss_found_at, link.disconnected_at, link.pushed_at, link.push_due_at
    ) as state
  from link
  cross join held
),

counted as (
  select
    count(*) filter (where stated.state = 'told') as told,
    count(*) filter (where stated.state = 'waiting') as waiting,
    count(*) filter (where stated.state = 'losing') as losing,
    count(*) filter (where stated.state = 'disconnected') as disconnected,
    count(*) filter (where stated.state = 'cleared') as cleared,
    count(*) filter (where stated.check_due_at <= $3) as checks_due,
    count(*) filter (where stated.check_due_at < $1) as checks_overdue,
    min(stated.check_due_at) filter (where stated.check_due_at <= $3) as oldest_check_due_at,
    count(*) filter (where stated.push_due_at <= $3) as pushes_due,
    count(*) filter (where stated.push_due_at < $1) as pushes_overdue,
    min(stated.push_due_at) filter (where stated.push_due_at <= $3) as oldest_push_due_at,
    count(*) filter (where stated.loss_due_at < $1 and not stated.is_held) as losses_overdue,
    count(*) filter (where stated.loss_due_at is not null and stated.is_held) as losses_held
  from stated
)

select
  counted.told::integer as told,
  counted.waiting::integer as waiting,
  counted.losing::integer as losing,
  counted.disconnected::integer as disconnected,
  counted.cleared::integer as cleared,
  counted.checks_due::integer as checks_due,
  counted.checks_overdue::integer as checks_overdue,
  counted.oldest_check_due_at,
  counted.pushes_due::integer as pushes_due,
  counted.pushes_overdue::integer as pushes_overdue,
  counted.oldest_push_due_at,
  counted.losses_overdue::integer as losses_overdue,
  held.held_at,
  counted.losses_held::integer as losses_held,
  (select count(*) from discord_token where discord_token.ended_at >= $2)::integer as discord_grants_ended,
  (
    select count(*) from organisation_token where organisation_token.ended_at >= $2
  )::integer as provider_grants_ended
from counted
cross join held
