-- Whether any migration was ever applied to this database, its encoding, and the version of the server.
-- row: present boolean, encoding text, version_number integer
select
  to_regclass('schema_migration') is not null as present,
  current_setting('server_encoding') as encoding,
  current_setting('server_version_num')::integer as version_number
