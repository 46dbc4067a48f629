-- Finds a group, with the ids of its members if they are asked for.
-- $1 scim_group_id text
-- $2 with_members boolean
-- row: scim_group_id text, external_id text, display_name text, created_at timestamptz, modified_at timestamptz,
-- row: member_ids text
select
  scim_group_id,
  external_id,
  display_name,
  created_at,
  modified_at,
  case
    when $2
      then (
        select string_agg(scim_member.scim_user_id, ',' order by scim_member.scim_user_id)
        from scim_member
        where scim_member.scim_group_id = scim_group.scim_group_id
      )
  end as member_ids
from scim_group
where scim_group_id = $1 and deleted_at is null
