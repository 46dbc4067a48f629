-- Waits for other processes that migrate. The end of the transaction frees the lock.
-- nothing
select pg_advisory_xact_lock(hashtext('janus schema_migration'))
