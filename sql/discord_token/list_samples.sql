-- One sealed token of each kind for each key that has sealed any: where a key is missing, its id is found. A sealed token
-- begins with the id of its key. Reads each table once, and takes one grant for each pair of keys that its tokens have.
-- rows: kind text, owner text, subject text, sealed text
with discord_owner as (
  select min(discord_token.discord_user_id) as discord_user_id
  from discord_token
  group by
    split_part(discord_token.access_token_sealed, '.', 1),
    split_part(discord_token.refresh_token_sealed, '.', 1)
),

discord_sample as (
  select
    discord_token.discord_user_id,
    discord_token.access_token_sealed,
    discord_token.refresh_token_sealed
  from discord_owner
  inner join discord_token on discord_owner.discord_user_id = discord_token.discord_user_id
),

organisation_owner as (
  select
    organisation_token.issuer,
    min(organisation_token.subject) as subject
  from organisation_token
  group by
    organisation_token.issuer,
    split_part(organisation_token.access_token_sealed, '.', 1),
    split_part(organisation_token.refresh_token_sealed, '.', 1)
),

organisation_sample as (
  select
    organisation_token.issuer,
    organisation_token.subject,
    organisation_token.access_token_sealed,
    organisation_token.refresh_token_sealed
  from organisation_owner
  inner join organisation_token
    on organisation_owner.issuer = organisation_token.issuer and organisation_owner.subject = organisation_token.subject
),

-- A token of an account is sealed as those that the account has, so that it need not be sealed again.
stray as (
  select
    stray_token_id,
    issuer,
    subject,
    access_token_sealed,
    refresh_token_sealed,
    issuer is not null and subject is not null as is_of_account
  from stray_token
),

stored as (
  select
    'discord_token.access_token' as kind,
    discord_user_id as owner,
    null::text as subject,
    access_token_sealed as sealed
  from discord_sample
  union all
  select
    'discord_token.refresh_token' as kind,
    discord_user_id as owner,
    null::text as subject,
    refresh_token_sealed as sealed
  from discord_sample
  union all
  select
    'organisation_token.access_token' as kind,
    issuer as owner,
    subject,
    access_token_sealed as sealed
  from organisation_sample
  union all
  select
    'organisation_token.refresh_token' as kind,
    issuer as owner,
    subject,
    refresh_token_sealed as sealed
  from organisation_sample
  union all
  -- With a subject they are sealed for the row of the account.
  select
    case when is_of_account then 'organisation_token.access_token' else 'stray_token.access_token' end as kind,
    case when is_of_account then issuer else stray_token_id end as owner,
    case when is_of_account then subject end as subject,
    access_token_sealed as sealed
  from stray
  union all
  select
    case when is_of_account then 'organisation_token.refresh_token' else 'stray_token.refresh_token' end as kind,
    case when is_of_account then issuer else stray_token_id end as owner,
    case when is_of_account then subject end as subject,
    refresh_token_sealed as sealed
  from stray
)

select distinct on (kind, split_part(sealed, '.', 1))
  kind,
  owner,
  subject,
  sealed
from stored
where sealed <> '' -- nothing is kept of a grant that the member has ended
order by kind, split_part(sealed, '.', 1), sealed
limit 1000
