-- Finds a user.
-- $1 scim_user_id text
-- row: scim_user_id text, external_id text, user_name text, is_active boolean, created_at timestamptz,
-- row: modified_at timestamptz
select
  scim_user_id,
  external_id,
  user_name,
  is_active,
  created_at,
  modified_at
from scim_user
where scim_user_id = $1
