-- A function of this connection alone, which begins to read any table, in the order of its primary key. Each row becomes a
-- list of texts, in the order of the columns. Texts are ordered by their bytes, so that every database has the same order.
-- nothing
create or replace function pg_temp.open_rows(of_table text, column_names jsonb) returns text language plpgsql as $$
declare
  reader refcursor := 'janus_rows';
  wanted text;
  ordered text;
begin
  select string_agg(format('%I::text', listed.name), ', ' order by listed.place)
  into wanted
  from jsonb_array_elements_text(column_names) with ordinality as listed (name, place);

  select string_agg(
    quote_ident(pg_attribute.attname) || case when pg_attribute.attcollation <> 0 then ' collate "C"' else '' end,
    ', ' order by keyed.place
  )
  into ordered
  from pg_index
  cross join unnest(pg_index.indkey) with ordinality as keyed (attnum, place)
  inner join pg_attribute on pg_index.indrelid = pg_attribute.attrelid and keyed.attnum = pg_attribute.attnum
  where pg_index.indrelid = quote_ident(of_table)::regclass and pg_index.indisprimary;

  if exists (select from pg_cursors where pg_cursors.name = 'janus_rows') then
    close reader;
  end if;
  open reader no scroll for execute format(
    'select to_jsonb(array[%s]::text[])::text from %s order by %s',
    wanted,
    quote_ident(of_table)::regclass,
    -- A table of another program may have no primary key.
    coalesce(ordered, '1')
  );
  return of_table;
end
$$
