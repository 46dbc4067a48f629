-- Waits for other processes that migrate; the transaction's end frees the lock.
-- nothing
select pg_advisory_xact_lock(hashtext('janus schema_migration'))
