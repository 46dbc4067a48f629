-- The claims that name a member at the organisation, of the account that is linked. All claims together may be large.
-- $1 discord_user_id text
-- row: discord_user_id text, names jsonb
select
  link.discord_user_id,
  (
    select jsonb_build_object('preferred_username', claim.preferred_username, 'name', claim.name)
    from jsonb_to_record(organisation_account.claims) as claim (preferred_username jsonb, name jsonb)
  ) as names
from link
inner join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
where link.discord_user_id = $1
