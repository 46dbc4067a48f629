-- Keeps a migration from waiting behind a long transaction, with every other statement waiting behind the migration.
-- nothing
set local lock_timeout = '10s'
