-- Lets a migration, and the wait for another process that migrates, take as long as they need.
-- nothing
set local statement_timeout = 0
