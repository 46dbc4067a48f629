-- One sealed token of each kind for each key that has sealed any: where a key is missing, its id is found.
-- rows: kind text, owner text, subject text, sealed text
with stored as (
  select
    'discord_token.access_token' as kind,
    discord_user_id as owner,
    null::text as subject,
    access_token_sealed as sealed
  from discord_token
  union all
  select
    'discord_token.refresh_token' as kind,
    discord_user_id as owner,
    null::text as subject,
    refresh_token_sealed as sealed
  from discord_token
  union all
  select
    'organisation_token.access_token' as kind,
    issuer as owner,
    subject,
    access_token_sealed as sealed
  from organisation_token
  union all
  select
    'organisation_token.refresh_token' as kind,
    issuer as owner,
    subject,
    refresh_token_sealed as sealed
  from organisation_token
  union all
  select
    'stray_token.access_token' as kind,
    stray_token_id as owner,
    null::text as subject,
    access_token_sealed as sealed
  from stray_token
  union all
  select
    'stray_token.refresh_token' as kind,
    stray_token_id as owner,
    null::text as subject,
    refresh_token_sealed as sealed
  from stray_token
)

select distinct on (kind, split_part(sealed, '.', 1))
  kind,
  owner,
  subject,
  sealed
from stored
where sealed is not null
order by kind, split_part(sealed, '.', 1), sealed
limit 1000
