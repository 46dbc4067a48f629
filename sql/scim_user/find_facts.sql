-- Finds the user that a member is, and what the rules read of it: `sources.scim`. No row comes back if there is no such
-- user.
-- row: external_id text, user_name text, facts jsonb
with given as not materialized (
  select
    $1::text as attribute, -- which one is the subject
    $2::text as issuer,
    $3::text as subject,
    $4::text as scim_subject -- null for what is stored of the account
),

named as (
  select
    given.attribute,
    coalesce(given.scim_subject, organisation_account.scim_subject, given.subject) as scim_subject
  from given
  left join organisation_account
    on given.issuer = organisation_account.issuer and given.subject = organisation_account.subject
)

select
  scim_user.external_id,
  scim_user.user_name,
  scim_facts(scim_user.scim_user_id, scim_user.is_active) as facts
from named
inner join scim_user
  on
    (named.attribute = 'externalId' and scim_user.external_id = named.scim_subject)
    or (named.attribute = 'userName' and scim_user.user_name = named.scim_subject)
