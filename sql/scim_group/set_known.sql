-- Makes a group known whose members are all written: from now on it counts, and its members are still to be made due for a
-- check. No row comes back if it is not there, or is known or given up already. If another group has got the name or the
-- external id meanwhile, nothing changes, and is_taken says so.
-- row: scim_group_id text, is_taken boolean
with given as not materialized (
  select
    $1::text as scim_group_id,
    $2::timestamptz as now
),

held as (
  select scim_group.scim_group_id, scim_group.display_name, scim_group.external_id
  from given
  inner join scim_group on given.scim_group_id = scim_group.scim_group_id
  where scim_group.deleted_at is not null and scim_group.settled_until is null
  for update of scim_group
),

wanted as (
  select
    held.scim_group_id,
    exists (
      select from scim_group as other
      where other.display_name = held.display_name and other.deleted_at is null
    )
    or exists (
      select from scim_group as other
      where other.external_id = held.external_id and other.deleted_at is null
    ) as is_taken
  from held
),

changed as (
  update scim_group
  set
    deleted_at = null,
    settled_until = '',
    modified_at = given.now
  from given, wanted
  where scim_group.scim_group_id = wanted.scim_group_id and not wanted.is_taken
)

select wanted.scim_group_id, wanted.is_taken
from wanted
