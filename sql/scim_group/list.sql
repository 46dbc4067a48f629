-- Lists a page of the groups that fit a filter, in the order in which they were created, with the ids of their members if
-- they are asked for.
-- $1 display_name_key text, null for any, else in lower case
-- $2 external_id text, null for any
-- $3 with_members boolean
-- $4 skipped bigint
-- $5 limit bigint
-- rows: scim_group_id text, external_id text, display_name text, created_at timestamptz, modified_at timestamptz,
-- rows: member_ids text
select
  scim_group_id,
  external_id,
  display_name,
  created_at,
  modified_at,
  case
    when $3
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
  and ($2::text is null or external_id = $2)
order by scim_group_id
offset $4
limit $5
