-- What `janus register` has last put at Discord, for each application. A server has no token with which it could ask
-- Discord, so without this row it could not say that somebody forgot the command. docs/decisions/0034
-- Lock: none, the table is new. The previous release runs on it: it does not know the table.

create table registration (
  application_id text not null,
  records_hash text not null,
  registered_at timestamptz not null,
  constraint registration_pkey primary key (application_id),
  constraint registration_application_id_check
  check (length(application_id) between 1 and 20 and application_id !~ '[^0-9]'),
  constraint registration_records_hash_check check (length(records_hash) = 64 and records_hash !~ '[^0-9a-f]')
);
