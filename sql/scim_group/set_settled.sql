-- Makes a page of a group's members due for a check, because the group is new, has another name or was deleted. Those of a
-- group that is deleted, or was begun and never made known, are removed, and after the last of them the group. is_settled
-- says that nothing is left to do. No row comes back if there is nothing to do, or if another process does it at this
-- moment.
-- row: scim_group_id text, is_settled boolean, rechecked integer
with given as not materialized (
  select
    $1::text as scim_group_id,
    $2::text as attribute, -- which one is the subject
    $3::text as issuer,
    $4::text as request_id, -- null in upkeep
    $5::bigint as limit,
    $6::timestamptz as now
),

held as (
  select
    scim_group.scim_group_id,
    coalesce(scim_group.settled_until, '') as settled_until,
    scim_group.deleted_at is not null as is_deleted
  from given
  inner join scim_group on given.scim_group_id = scim_group.scim_group_id
  where scim_group.settled_until is not null or scim_group.deleted_at is not null
  for update of scim_group skip locked
),

page as (
  select scim_member.scim_user_id
  from held
  inner join scim_member on held.scim_group_id = scim_member.scim_group_id
  where scim_member.scim_user_id > held.settled_until
  order by scim_member.scim_user_id
  limit (select given.limit from given)
  for update of scim_member
),

read as (
  select
    count(*) as members,
    coalesce(array_agg(page.scim_user_id), '{}') as scim_user_ids,
    max(page.scim_user_id) as last
  from page
),

removed as (
  delete from scim_member
  using held, page
  where
    held.is_deleted
    and scim_member.scim_group_id = held.scim_group_id
    and scim_member.scim_user_id = page.scim_user_id
  returning scim_member.scim_user_id
),

rechecked as (
  select count(told.discord_user_id)::integer as links
  from given
  cross join held
  cross join read
  left join lateral recheck_scim_users(
    read.scim_user_ids, given.attribute, given.issuer, given.request_id, given.now
  ) as told (discord_user_id) on true
  where (select count(*) from removed) >= 0
),

moved_on as (
  update scim_group
  set settled_until = case when read.members < given.limit and not held.is_deleted then null else coalesce(read.last, '') end
  from given, held, read
  where scim_group.scim_group_id = held.scim_group_id and not (held.is_deleted and read.members = 0)
),

ended as (
  delete from scim_group
  using held, read
  where scim_group.scim_group_id = held.scim_group_id and held.is_deleted and read.members = 0
)

select
  held.scim_group_id,
  case when held.is_deleted then read.members = 0 else read.members < given.limit end as is_settled,
  rechecked.links as rechecked
from given
cross join held
cross join read
cross join rechecked
