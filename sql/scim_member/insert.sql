-- Adds users to a group, and makes the links of those who were not in it due for a check. Where the group is not known yet,
-- that waits until it is. Ids that are of no user count for nothing. No row comes back if the group does not exist.
-- row: scim_group_id text, members integer, rechecked integer, discord_user_id text
with given as not materialized (
  select
    $1::text as scim_group_id,
    $2::text as scim_user_ids, -- separated by commas
    $3::text as attribute, -- which one is the subject
    $4::text as issuer,
    $5::text as request_id,
    $6::timestamptz as now
),

held_group as (
  select scim_group.scim_group_id, scim_group.deleted_at is null as is_known
  from given
  inner join scim_group on given.scim_group_id = scim_group.scim_group_id
  where scim_group.deleted_at is null or scim_group.settled_until is null
  for no key update of scim_group
),

held_user as (
  select scim_user.scim_user_id
  from given
  cross join held_group
  inner join scim_user on scim_user.scim_user_id = any(string_to_array(given.scim_user_ids, ','))
  order by scim_user.scim_user_id
  for key share of scim_user
),

added as (
  insert into scim_member (scim_group_id, scim_user_id)
  select held_group.scim_group_id, held_user.scim_user_id
  from held_group
  cross join held_user
  on conflict do nothing
  returning scim_user_id
),

changed as (
  select
    count(*)::integer as members,
    coalesce(array_agg(added.scim_user_id) filter (where held_group.is_known), '{}') as scim_user_ids
  from added
  cross join held_group
),

touched as (
  update scim_group
  set modified_at = given.now
  from given, held_group, changed
  where scim_group.scim_group_id = held_group.scim_group_id and changed.members > 0
),

told as (
  select
    count(heard.discord_user_id)::integer as links,
    min(heard.discord_user_id) as first
  from given
  cross join changed
  left join lateral recheck_scim_users(
    changed.scim_user_ids, given.attribute, given.issuer, given.request_id, given.now
  ) as heard (discord_user_id) on true
)

select
  held_group.scim_group_id,
  changed.members,
  told.links as rechecked,
  case when told.links = 1 then told.first end as discord_user_id
from held_group
cross join changed
cross join told
