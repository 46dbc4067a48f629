-- Inserts rows as they are, and says how many.
-- $1 table_name text
-- $2 column_names jsonb
-- $3 lines text: a JSON list of rows, each a list of texts in the order of the columns
-- row: rows integer
select pg_temp.insert_rows($1, $2, $3)::integer as rows
