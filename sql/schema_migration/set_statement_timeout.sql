-- Lets a migration, and the wait for another process that migrates, take their time.
-- nothing
set local statement_timeout = 0
