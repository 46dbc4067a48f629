-- When the last backup was made, as far as Janus was told, when the database was restored from one, and what a backup would
-- hold now.
-- row: taken_at timestamptz, restored_at timestamptz, database_version text, database_kib integer
select
  (select backup.taken_at from backup) as taken_at,
  (select backup.restored_at from backup) as restored_at,
  split_part(current_setting('server_version'), ' ', 1) as database_version,
  (pg_database_size(current_database()) / 1024)::integer as database_kib
