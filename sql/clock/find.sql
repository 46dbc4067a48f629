-- The database's clock.
-- row: now timestamptz
select clock_timestamp() as now
