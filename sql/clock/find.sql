-- The time by the database's clock.
-- row: now timestamptz
select clock_timestamp() as now
