-- A function of this connection alone, which switches the triggers of any table off before rows are inserted as they are,
-- and on again after that. Then numbers that the database gives go on after the highest that was inserted.
-- nothing
create or replace function pg_temp.set_triggers(of_table text, is_on boolean) returns text language plpgsql as $$
declare
  numbered text;
begin
  execute format(
    'alter table %s %s trigger user', quote_ident(of_table)::regclass, case when is_on then 'enable' else 'disable' end
  );
  select pg_attribute.attname
  into numbered
  from pg_attribute
  where pg_attribute.attrelid = quote_ident(of_table)::regclass and pg_attribute.attidentity <> '' and not pg_attribute.attisdropped;
  if is_on and numbered is not null then
    execute format(
      'select setval(pg_get_serial_sequence($1, $2), max(%I)) from %s having max(%I) is not null',
      numbered, quote_ident(of_table)::regclass, numbered
    ) using quote_ident(of_table), numbered;
  end if;
  return of_table;
end
$$
