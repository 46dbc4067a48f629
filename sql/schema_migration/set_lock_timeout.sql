-- Keeps a migration from queueing behind a long transaction, and every other statement behind the migration.
-- nothing
set local lock_timeout = '10s'
