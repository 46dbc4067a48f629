-- Deletes a group: from now on it counts for nothing. Its members are still to be removed. No row comes back if it does not
-- exist.
-- $1 scim_group_id text
-- $2 now timestamptz
-- row: scim_group_id text
update scim_group
set
  deleted_at = $2,
  settled_until = ''
where scim_group_id = $1 and deleted_at is null
returning scim_group_id
