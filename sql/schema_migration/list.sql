-- The migrations that this database has applied.
-- rows: version integer, name text, checksum text, applied_at timestamptz
select
  version,
  name,
  checksum,
  applied_at
from schema_migration
order by version
