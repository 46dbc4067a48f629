-- Deletes a user with its memberships of groups, and tells the link of its subject that the membership has ended. No row
-- comes back if the user does not exist.
-- row: scim_user_id text, discord_user_id text, effect text
with given as not materialized (
  select
    $1::text as scim_user_id,
    $2::text as attribute, -- which one is the subject
    $3::text as issuer,
    $4::text as request_id,
    $5::timestamptz as now
),

held as (
  select scim_user.scim_user_id
  from given
  inner join scim_user on given.scim_user_id = scim_user.scim_user_id
  for update of scim_user
),

-- The foreign key would remove them only at the end, after the link was locked. docs/decisions/0028
left_groups as (
  delete from scim_member
  using held
  where scim_member.scim_user_id = held.scim_user_id
  returning scim_member.scim_group_id
),

deleted as (
  delete from scim_user
  using held
  where scim_user.scim_user_id = held.scim_user_id and (select count(*) from left_groups) >= 0
  returning scim_user.scim_user_id, scim_user.external_id, scim_user.user_name
),

told as (
  select heard.discord_user_id, heard.effect
  from given
  cross join deleted
  cross join lateral hear_of_scim_user(
    'ended',
    given.issuer,
    scim_subject(given.attribute, deleted.external_id, deleted.user_name),
    given.request_id,
    given.now
  ) as heard
)

select deleted.scim_user_id, told.discord_user_id, told.effect
from deleted
left join told on true
