-- Changes attributes of a group. If its name is another one, its members are still to be made due for a check. No row comes
-- back if the group does not exist. If another group has the new name or the new external id, nothing changes, and
-- is_taken says so.
-- row: scim_group_id text, is_taken boolean, is_renamed boolean
with given as not materialized (
  select
    $1::text as scim_group_id,
    $2::boolean as has_external_id, -- whether it changes
    $3::text as external_id, -- null to remove it
    $4::text as display_name, -- null to keep it
    $5::text as display_name_key, -- null to keep it, else in lower case
    $6::timestamptz as now
),

held as (
  select scim_group.scim_group_id, scim_group.display_name
  from given
  inner join scim_group on given.scim_group_id = scim_group.scim_group_id
  where scim_group.deleted_at is null
  for update of scim_group
),

wanted as (
  select
    held.scim_group_id,
    exists (
      select from scim_group as other
      where
        other.scim_group_id <> held.scim_group_id
        and other.display_name = given.display_name
        and other.deleted_at is null
    )
    or exists (
      select from scim_group as other
      where
        other.scim_group_id <> held.scim_group_id
        and given.has_external_id
        and other.external_id = given.external_id
        and other.deleted_at is null
    ) as is_taken,
    given.display_name is not null and given.display_name <> held.display_name as is_renamed
  from given
  cross join held
),

changed as (
  update scim_group
  set
    external_id = case when given.has_external_id then given.external_id else scim_group.external_id end,
    display_name = coalesce(given.display_name, scim_group.display_name),
    display_name_key = coalesce(given.display_name_key, scim_group.display_name_key),
    modified_at = given.now,
    settled_until = case when wanted.is_renamed then '' else scim_group.settled_until end
  from given, wanted
  where
    scim_group.scim_group_id = wanted.scim_group_id
    and not wanted.is_taken
    and (
      wanted.is_renamed
      or (given.has_external_id and scim_group.external_id is distinct from given.external_id)
    )
)

select wanted.scim_group_id, wanted.is_taken, wanted.is_renamed
from wanted
