-- A function of this connection alone, which counts the rows of any table. Which tables there are depends on the migrations
-- of the database that is read, so no statement could name them.
-- nothing
create or replace function pg_temp.count_rows(of_table text) returns bigint language plpgsql as $$
declare
  counted bigint;
begin
  execute format('select count(*) from %s', quote_ident(of_table)::regclass) into counted;
  return counted;
end
$$
