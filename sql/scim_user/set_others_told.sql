-- Tells the links of a user's subject but the first, which the change of the user tells: where SCIM_CLAIM names the subject,
-- accounts may share it. Whether their membership has ended is what the user is now. It can be repeated. There is a row for
-- each link of which that is new.
-- rows: discord_user_id text, effect text
with given as not materialized (
  select
    $1::text as scim_user_id,
    $2::boolean as is_deleted, -- whether the user is about to be deleted
    $3::text as attribute, -- which one is the subject
    $4::text as issuer,
    $5::text as request_id,
    $6::timestamptz as now
),

-- What the user is now stays so until this is done.
held as (
  select
    scim_subject(given.attribute, scim_user.external_id, scim_user.user_name) as subject,
    given.is_deleted or not scim_user.is_active as is_ended
  from given
  inner join scim_user on given.scim_user_id = scim_user.scim_user_id
  for no key update of scim_user
),

named as (
  select link.discord_user_id, held.is_ended
  from given
  cross join held
  inner join organisation_account
    on
      coalesce(organisation_account.scim_subject, organisation_account.subject) = held.subject
      and organisation_account.issuer = given.issuer
  inner join link
    on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
  order by link.discord_user_id
  offset 1
),

locked as (
  select link.discord_user_id, link.issuer, link.subject, named.is_ended
  from named
  inner join link on named.discord_user_id = link.discord_user_id
  order by link.discord_user_id
  for no key update of link
),

told as materialized (
  select
    locked.discord_user_id,
    locked.issuer,
    locked.subject,
    locked.is_ended,
    case
      when locked.is_ended then end_membership(locked.discord_user_id, 'scim', given.now)
      else restore_membership(locked.discord_user_id, 'scim', given.now)
    end as is_new
  from given
  cross join locked
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
  select
    given.now,
    case when told.is_ended then 'membership_ended' else 'membership_restored' end,
    told.discord_user_id,
    told.issuer,
    told.subject,
    given.request_id,
    '{"source": "scim"}'::jsonb
  from given
  cross join told
  where told.is_new
)

select
  told.discord_user_id,
  case when told.is_ended then 'ended' else 'restored' end as effect
from told
where told.is_new
