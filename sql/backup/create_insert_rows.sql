-- A function of this connection alone, which inserts rows into any table, each a list of texts in the order of the columns.
-- It inserts them as they are: a trigger that would change them is off, by set_triggers.
-- nothing
create or replace function pg_temp.insert_rows(of_table text, column_names jsonb, lines text)
returns bigint language plpgsql as $$
declare
  named text;
  given text;
  inserted bigint;
begin
  select
    string_agg(quote_ident(listed.name), ', ' order by listed.place),
    string_agg(
      format(
        '(given.line ->> %s)::%s',
        listed.place - 1,
        format_type(pg_attribute.atttypid, pg_attribute.atttypmod)
      ),
      ', ' order by listed.place
    )
  into strict named, given
  from jsonb_array_elements_text(column_names) with ordinality as listed (name, place)
  inner join pg_attribute on listed.name = pg_attribute.attname and pg_attribute.attnum > 0
  where pg_attribute.attrelid = quote_ident(of_table)::regclass;

  execute format(
    'insert into %s (%s) overriding system value select %s from jsonb_array_elements($1::jsonb) as given (line)',
    quote_ident(of_table)::regclass, named, given
  ) using lines;
  get diagnostics inserted = row_count;
  return inserted;
end
$$
