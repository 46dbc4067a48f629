-- Remembers when a backup was made. An earlier time does not take the place of a later one, unless that one is beyond what
-- a correct clock can write.
-- $1 taken_at timestamptz
-- nothing
insert into backup (taken_at)
values ($1)
on conflict (backup_id) do update set taken_at = excluded.taken_at
where
  backup.taken_at is null
  or backup.taken_at < excluded.taken_at
  or backup.taken_at > excluded.taken_at + interval '15 minutes'
