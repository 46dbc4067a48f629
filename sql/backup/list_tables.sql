-- The tables of Janus with their columns, each after the tables that it refers to, but for the table of migrations.
-- rows: table_name text, column_names jsonb
with recursive tables as (
  select
    pg_class.oid as table_id,
    pg_class.relname as relation
  from pg_class
  where
    pg_class.relnamespace = current_schema()::regnamespace
    and pg_class.relkind = 'r'
    and pg_class.relname <> 'schema_migration'
),

depths as (
  select
    tables.table_id,
    0 as depth
  from tables
  union
  select
    pg_constraint.conrelid,
    depths.depth + 1
  from depths
  inner join pg_constraint on depths.table_id = pg_constraint.confrelid
  where pg_constraint.contype = 'f' and pg_constraint.conrelid <> pg_constraint.confrelid
)

select
  tables.relation::text as table_name,
  (
    select jsonb_agg(pg_attribute.attname order by pg_attribute.attnum)
    from pg_attribute
    where
      pg_attribute.attrelid = tables.table_id
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped
      and pg_attribute.attgenerated = ''
  ) as column_names
from tables
order by
  (select max(depths.depth) from depths where depths.table_id = tables.table_id),
  tables.relation
