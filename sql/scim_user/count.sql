-- Counts the users that fit a filter.
-- $1 user_name_key text, null for any, else in lower case
-- $2 external_id text, null for any
-- row: count integer
select count(*)::integer as count
from scim_user
where
  ($1::text is null or user_name_key = $1)
  and ($2::text is null or external_id = $2)
