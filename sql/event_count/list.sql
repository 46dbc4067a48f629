-- How many events came since a day, for each source and outcome.
-- $1 since timestamptz
-- rows: source text, outcome text, events integer
select
  source,
  outcome,
  sum(events)::integer as events
from event_count
where day >= $1
group by source, outcome
order by source, outcome
