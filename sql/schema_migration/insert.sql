-- Records that a migration was applied.
-- $1 version integer
-- $2 name text
-- $3 checksum text
-- $4 applied_at timestamptz
-- nothing
insert into schema_migration (version, name, checksum, applied_at)
values ($1, $2, $3, $4)
