-- Changes attributes of a user, and tells the links of its subject, and of the one that it was before. No row comes back if
-- the user does not exist. If another user has the new name or the new external id, nothing changes, and is_taken says so.
-- Where nothing is different, nobody is told.
-- rows: scim_user_id text, external_id text, user_name text, is_active boolean, created_at timestamptz,
-- rows: modified_at timestamptz, is_taken boolean, is_changed boolean, discord_user_id text, effect text
with given as not materialized (
  select
    $1::text as scim_user_id,
    $2::boolean as has_external_id, -- whether it changes
    $3::text as external_id, -- null to remove it
    $4::text as user_name, -- null to keep it
    $5::text as user_name_key, -- null to keep it, else in lower case
    $6::boolean as is_active, -- null to keep it
    $7::text as attribute, -- which one is the subject
    $8::text as issuer,
    $9::text as request_id,
    $10::timestamptz as now
),

held as (
  select
    scim_user.scim_user_id,
    scim_user.external_id,
    scim_user.user_name,
    scim_user.is_active,
    scim_user.created_at,
    scim_user.modified_at
  from given
  inner join scim_user on given.scim_user_id = scim_user.scim_user_id
  for update of scim_user
),

wanted as (
  select
    held.scim_user_id,
    case when given.has_external_id then given.external_id else held.external_id end as external_id,
    coalesce(given.user_name, held.user_name) as user_name,
    coalesce(given.is_active, held.is_active) as is_active,
    exists (
      select from scim_user as other
      where other.scim_user_id <> held.scim_user_id and other.user_name_key = given.user_name_key
    )
    or exists (
      select from scim_user as other
      where
        other.scim_user_id <> held.scim_user_id
        and given.has_external_id
        and other.external_id = given.external_id
    ) as is_taken
  from given
  cross join held
),

changed as (
  update scim_user
  set
    external_id = wanted.external_id,
    user_name = wanted.user_name,
    user_name_key = coalesce(given.user_name_key, scim_user.user_name_key),
    is_active = wanted.is_active,
    modified_at = given.now
  from given, held, wanted
  where
    scim_user.scim_user_id = wanted.scim_user_id
    and not wanted.is_taken
    and (held.external_id, held.user_name, held.is_active)
    is distinct from (wanted.external_id, wanted.user_name, wanted.is_active)
  returning scim_user.scim_user_id, scim_user.external_id, scim_user.user_name, scim_user.is_active
),

subjects as (
  select
    scim_subject(given.attribute, held.external_id, held.user_name) as former,
    scim_subject(given.attribute, changed.external_id, changed.user_name) as present,
    changed.is_active
  from given
  cross join held
  cross join changed
),

words as (
  select
    subjects.present as subject,
    case when subjects.is_active then 'goes_on' else 'ended' end as word
  from subjects
  union all
  select
    subjects.former as subject,
    'changed' as word
  from subjects
  where subjects.former is distinct from subjects.present
),

-- In the order of their keys, so that two such statements wait for each other in a queue.
ordered as (
  select words.subject, words.word
  from given
  cross join words
  left join organisation_account
    on
      coalesce(organisation_account.scim_subject, organisation_account.subject) = words.subject
      and organisation_account.issuer = given.issuer
  left join link
    on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
  group by words.subject, words.word
  order by min(link.discord_user_id)
),

told as (
  select heard.discord_user_id, heard.effect
  from given
  cross join ordered
  cross join lateral hear_of_scim_user(ordered.word, given.issuer, ordered.subject, given.request_id, given.now) as heard
)

select
  held.scim_user_id,
  coalesce(changed.external_id, case when changed.scim_user_id is null then held.external_id end) as external_id,
  coalesce(changed.user_name, held.user_name) as user_name,
  coalesce(changed.is_active, held.is_active) as is_active,
  held.created_at,
  case when changed.scim_user_id is null then held.modified_at else given.now end as modified_at,
  wanted.is_taken,
  changed.scim_user_id is not null as is_changed,
  told.discord_user_id,
  told.effect
from given
cross join held
cross join wanted
left join changed on true
left join told on true
