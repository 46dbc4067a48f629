-- Switches the triggers of a table off, or on again.
-- $1 table_name text
-- $2 is_on boolean
-- row: table_name text
select pg_temp.set_triggers($1, $2) as table_name
