-- How many rows a table has.
-- $1 table_name text
-- row: rows integer
select pg_temp.count_rows($1)::integer as rows
