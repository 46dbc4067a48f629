-- Lists a page of the users that fit a filter, in the order in which they were created.
-- $1 user_name_key text, null for any, else in lower case
-- $2 external_id text, null for any
-- $3 skipped bigint
-- $4 limit bigint
-- rows: scim_user_id text, external_id text, user_name text, is_active boolean, created_at timestamptz,
-- rows: modified_at timestamptz
select
  scim_user_id,
  external_id,
  user_name,
  is_active,
  created_at,
  modified_at
from scim_user
where
  ($1::text is null or user_name_key = $1)
  and ($2::text is null or external_id = $2)
order by scim_user_id
offset $3
limit $4
