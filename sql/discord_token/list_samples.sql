-- One sealed token of each kind for each key that has sealed any: where a key is missing, its id is found. A sealed token
-- begins with the id of its key. The keys of both tokens of a grant are indexed together, and this goes from one pair of
-- keys to the next, so it reads one grant for each pair.
-- rows: kind text, owner text, subject text, sealed text
with recursive discord_sample as (
  (
    select
      split_part(discord_token.access_token_sealed, '.', 1) as access_key,
      split_part(discord_token.refresh_token_sealed, '.', 1) as refresh_key,
      discord_token.discord_user_id,
      discord_token.access_token_sealed,
      discord_token.refresh_token_sealed
    from discord_token
    order by access_key, refresh_key
    limit 1
  )
  union all
  select
    next.access_key,
    next.refresh_key,
    next.discord_user_id,
    next.access_token_sealed,
    next.refresh_token_sealed
  from discord_sample
  cross join lateral (
    select
      split_part(discord_token.access_token_sealed, '.', 1) as access_key,
      split_part(discord_token.refresh_token_sealed, '.', 1) as refresh_key,
      discord_token.discord_user_id,
      discord_token.access_token_sealed,
      discord_token.refresh_token_sealed
    from discord_token
    where
      (split_part(discord_token.access_token_sealed, '.', 1), split_part(discord_token.refresh_token_sealed, '.', 1))
      > (discord_sample.access_key, discord_sample.refresh_key)
    order by access_key, refresh_key
    limit 1
  ) as next
),

organisation_sample as (
  (
    select
      coalesce(split_part(organisation_token.refresh_token_sealed, '.', 1), '') as refresh_key,
      split_part(organisation_token.access_token_sealed, '.', 1) as access_key,
      organisation_token.issuer,
      organisation_token.subject,
      organisation_token.access_token_sealed,
      organisation_token.refresh_token_sealed
    from organisation_token
    order by refresh_key, access_key
    limit 1
  )
  union all
  select
    next.refresh_key,
    next.access_key,
    next.issuer,
    next.subject,
    next.access_token_sealed,
    next.refresh_token_sealed
  from organisation_sample
  cross join lateral (
    select
      coalesce(split_part(organisation_token.refresh_token_sealed, '.', 1), '') as refresh_key,
      split_part(organisation_token.access_token_sealed, '.', 1) as access_key,
      organisation_token.issuer,
      organisation_token.subject,
      organisation_token.access_token_sealed,
      organisation_token.refresh_token_sealed
    from organisation_token
    where
      (
        coalesce(split_part(organisation_token.refresh_token_sealed, '.', 1), ''),
        split_part(organisation_token.access_token_sealed, '.', 1)
      )
      > (organisation_sample.refresh_key, organisation_sample.access_key)
    order by refresh_key, access_key
    limit 1
  ) as next
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
where sealed <> '' -- nothing is kept of a grant that the member has ended
order by kind, split_part(sealed, '.', 1), sealed
limit 1000
