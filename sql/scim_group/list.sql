-- Lists a page of the groups that fit a filter, in the order in which they were created, with the ids of their members if
-- they are asked for. Of groups whose names differ in case alone, the one that is named exactly so comes first.
-- $1 display_name_key text, null for any, else in lower case
-- $2 display_name text, null for any
-- $3 external_id text, null for any
-- $4 with_members boolean
-- $5 skipped bigint
-- $6 limit bigint
-- rows: scim_group_id text, external_id text, display_name text, created_at timestamptz, modified_at timestamptz,
-- rows: member_ids text
select
  scim_group_id,
  external_id,
  display_name,
  created_at,
  modified_at,
  case
    when $4
      then (
        select string_agg(scim_member.scim_user_id, ',' order by scim_member.scim_user_id)
        from scim_member
        where scim_member.scim_group_id = scim_group.scim_group_id
      )
  end as member_ids
from scim_group
where
  deleted_at is null
  and ($1::text is null or display_name_key = $1)
  and ($3::text is null or external_id = $3)
order by display_name is distinct from $2, scim_group_id
offset $5
limit $6
