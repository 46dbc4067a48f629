-- The next rows of the table that was opened, each a list of texts in the order of the columns.
-- $1 limit bigint
-- rows: line text
select pg_temp.next_rows($1) as line
