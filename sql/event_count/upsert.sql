-- Adds to the counts of events of a day, and forgets those of old days.
-- $1 counts jsonb: texts source and outcome, and a number events, each source and outcome once
-- $2 day timestamptz: its start in UTC
-- $3 kept_since timestamptz: earlier days are forgotten
-- nothing
with forgotten as (
  delete from event_count
  where day < $3
)

insert into event_count (source, outcome, day, events)
select
  counted.source,
  counted.outcome,
  $2::timestamptz,
  counted.events
from jsonb_to_recordset($1) as counted (source text, outcome text, events bigint)
order by counted.source, counted.outcome
on conflict (day, source, outcome) do update set events = event_count.events + excluded.events
