-- Begins a group, which counts for nothing until all its members are written and it is made known: it is deleted, and
-- nothing is left to settle. is_begun is false if another group has the name or the external id, or if there are too many
-- groups.
-- row: scim_group_id text, is_begun boolean, is_full boolean
with given as not materialized (
  select
    $1::text as scim_group_id,
    $2::text as external_id, -- null if it has none
    $3::text as display_name,
    $4::text as display_name_key, -- in lower case
    $5::bigint as most_groups,
    $6::timestamptz as now
),

counted as (
  select count(*) as groups
  from (
    select scim_group.scim_group_id
    from scim_group
    limit (select given.most_groups from given)
  ) as some_groups
),

inserted as (
  insert into scim_group (
    scim_group_id, external_id, display_name, display_name_key, created_at, modified_at, deleted_at
  )
  select
    given.scim_group_id,
    given.external_id,
    given.display_name,
    given.display_name_key,
    given.now,
    given.now,
    given.now
  from given
  cross join counted
  where
    counted.groups < given.most_groups
    and not exists (
      select from scim_group as other
      where other.display_name = given.display_name and other.deleted_at is null
    )
    and not exists (
      select from scim_group as other
      where other.external_id = given.external_id and other.deleted_at is null
    )
  returning scim_group_id
)

select
  given.scim_group_id,
  inserted.scim_group_id is not null as is_begun,
  counted.groups >= given.most_groups as is_full
from given
cross join counted
left join inserted on true
