-- When the database was last restored from a backup, so that janus status can say so.
-- Lock: access exclusive on backup, which has one row, for a moment. The previous release runs on it: it does not know the
-- column, and remembers a backup as before.

-- Null where a database was restored and no backup was made yet. The previous release takes null for no backup.
-- squawk-ignore ban-drop-not-null
alter table backup alter column taken_at drop not null;
-- Null where the database was never restored.
alter table backup add column restored_at timestamptz;
