-- Records what `janus register` has put at Discord for an application.
-- $1 application_id text
-- $2 records_hash text
-- $3 now timestamptz
-- nothing
insert into registration (application_id, records_hash, registered_at)
values ($1, $2, $3)
on conflict (application_id) do update
set
  records_hash = excluded.records_hash,
  registered_at = excluded.registered_at
