-- Creates the table of applied migrations, which no migration can create.
-- nothing
create table if not exists schema_migration (
  version integer not null,
  name text not null,
  -- SHA-256 of the file, hexadecimal. An edited migration is refused.
  checksum text not null,
  applied_at timestamptz not null,
  constraint schema_migration_pkey primary key (version)
)
