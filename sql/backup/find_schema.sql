-- The schema that Janus uses, whether it has no table and nothing like one, and the version of the server. What belongs to an
-- extension does not count.
-- row: schema_name text, server_version integer, is_empty boolean
select
  current_schema()::text as schema_name,
  current_setting('server_version_num')::integer as server_version,
  not exists (
    select from pg_class
    where
      pg_class.relnamespace = current_schema()::regnamespace
      and pg_class.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not exists (
        select from pg_depend
        where
          pg_depend.classid = 'pg_class'::regclass
          and pg_depend.objid = pg_class.oid
          and pg_depend.deptype = 'e'
      )
  ) as is_empty
