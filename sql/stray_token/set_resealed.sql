-- Stores stray tokens that were sealed again, each only if the row still has those that were read. What settles a stray
-- token finds it by its id, so that a lease is no hindrance. Rows that are locked stay as they are.
-- rows: stray_token_id text
with given as not materialized (
  select
    $1::jsonb as tokens -- a list of {stray_token_id, held_access_token, held_refresh_token, access_token, refresh_token}
),

locked as (
  select
    stray_token.stray_token_id,
    token.access_token,
    token.refresh_token
  from given
  cross join jsonb_to_recordset(given.tokens) as token (
    stray_token_id text, held_access_token text, held_refresh_token text, access_token text, refresh_token text
  )
  inner join stray_token on token.stray_token_id = stray_token.stray_token_id
  where
    stray_token.access_token_sealed is not distinct from token.held_access_token
    and stray_token.refresh_token_sealed is not distinct from token.held_refresh_token
  order by stray_token.stray_token_id
  for no key update of stray_token skip locked
)

update stray_token
set
  access_token_sealed = locked.access_token,
  refresh_token_sealed = locked.refresh_token
from locked
where stray_token.stray_token_id = locked.stray_token_id
returning stray_token.stray_token_id
