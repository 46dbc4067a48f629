-- Creates a user, and tells the link of its subject. is_created is false if another user has the name or the external id,
-- or if there are too many users.
-- row: scim_user_id text, is_created boolean, is_full boolean, discord_user_id text, effect text
with given as not materialized (
  select
    $1::text as scim_user_id,
    $2::text as external_id, -- null if it has none
    $3::text as user_name,
    $4::text as user_name_key, -- in lower case
    $5::boolean as is_active,
    $6::text as attribute, -- which one is the subject
    $7::text as issuer,
    $8::bigint as most_users,
    $9::text as request_id,
    $10::timestamptz as now
),

-- A count of all would take the longer the more there are beyond the limit.
counted as (
  select count(*) as users
  from (
    select scim_user.scim_user_id
    from scim_user
    limit (select given.most_users from given)
  ) as some_users
),

inserted as (
  insert into scim_user (
    scim_user_id, external_id, user_name, user_name_key, is_active, created_at, modified_at
  )
  select
    given.scim_user_id, given.external_id, given.user_name, given.user_name_key, given.is_active, given.now, given.now
  from given
  cross join counted
  where counted.users < given.most_users
  on conflict do nothing
  returning scim_user_id
),

told as (
  select heard.discord_user_id, heard.effect
  from given
  cross join inserted
  cross join lateral hear_of_scim_user(
    case when given.is_active then 'goes_on' else 'ended' end,
    given.issuer,
    scim_subject(given.attribute, given.external_id, given.user_name),
    given.request_id,
    given.now
  ) as heard
)

select
  given.scim_user_id,
  inserted.scim_user_id is not null as is_created,
  counted.users >= given.most_users as is_full,
  told.discord_user_id,
  told.effect
from given
cross join counted
left join inserted on true
left join told on true
