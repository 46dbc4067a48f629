-- A function of this connection alone, which gives the next rows of the table that was opened. Times have one form,
-- whatever the role prefers.
-- nothing
create or replace function pg_temp.next_rows(most bigint) returns setof text
language plpgsql set timezone = 'UTC' set datestyle = 'ISO' as $$
declare
  reader refcursor := 'janus_rows';
  line text;
begin
  for _ in 1..most loop
    fetch reader into line;
    if not found then
      -- A table that is being read cannot be altered.
      close reader;
      return;
    end if;
    return next line;
  end loop;
end
$$
