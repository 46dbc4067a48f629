-- Counts the groups that fit a filter.
-- $1 display_name_key text, null for any, else in lower case
-- $2 external_id text, null for any
-- row: count integer
select count(*)::integer as count
from scim_group
where
  deleted_at is null
  and ($1::text is null or display_name_key = $1)
  and ($2::text is null or external_id = $2)
