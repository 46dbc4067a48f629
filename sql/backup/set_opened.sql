-- Begins to read a table.
-- $1 table_name text
-- $2 column_names jsonb
-- row: table_name text
select pg_temp.open_rows($1, $2) as table_name
