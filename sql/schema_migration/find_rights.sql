-- What the role of this connection may do: make tables where migrations make them, and use those that are there, which are
-- the tables of the owner of schema_migration. `refused` names the tables that it may not use.
-- row: role text, encoding text, creates boolean, alters boolean, refused text
with janus as (
  select
    table_info.oid as table_id,
    table_info.relname as table_name,
    table_info.relowner as owner_id
  from pg_class as first_table
  inner join pg_class as table_info
    on first_table.relnamespace = table_info.relnamespace and first_table.relowner = table_info.relowner
  where first_table.oid = to_regclass('schema_migration') and table_info.relkind = 'r'
)

select
  current_user::text as role,
  current_setting('server_encoding') as encoding,
  coalesce(has_schema_privilege(current_schema(), 'create'), false) as creates,
  coalesce(bool_and(pg_has_role(janus.owner_id, 'usage')), true) as alters,
  coalesce(
    string_agg(janus.table_name::text, ', ' order by janus.table_name) filter (
      where not (
        has_table_privilege(janus.table_id, 'select')
        and has_table_privilege(janus.table_id, 'insert')
        and (janus.table_name in ('audit_event', 'schema_migration') or has_table_privilege(janus.table_id, 'update'))
        and (janus.table_name in ('audit_event', 'schema_migration') or has_table_privilege(janus.table_id, 'delete'))
      )
    ),
    ''
  ) as refused
from janus
