-- What `janus register` has last put at Discord for an application.
-- $1 application_id text
-- row: application_id text, records_hash text
select
  application_id,
  records_hash
from registration
where application_id = $1
