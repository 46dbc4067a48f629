-- Stores tokens that were sealed again, each pair only if the row still has the one that was read. What compares sealed
-- tokens must find them as it has claimed them: so a row under a lease stays as it is, and one whose refresh has had no
-- answer for less than a day. Rows that are locked stay too.
-- rows: discord_user_id text
with given as not materialized (
  select
    $1::jsonb as tokens, -- a list of {discord_user_id, held_access_token, held_refresh_token, access_token, refresh_token}
    $2::timestamptz as now
),

-- In the order of docs/decisions/0028.
locked as (
  select
    discord_token.discord_user_id,
    token.access_token,
    token.refresh_token
  from given
  cross join jsonb_to_recordset(given.tokens) as token (
    discord_user_id text, held_access_token text, held_refresh_token text, access_token text, refresh_token text
  )
  inner join discord_token on token.discord_user_id = discord_token.discord_user_id
  where
    discord_token.access_token_sealed = token.held_access_token
    and discord_token.refresh_token_sealed = token.held_refresh_token
    and not is_leased(discord_token.leased_until, given.now)
    and (
      discord_token.refresh_unanswered_since is null
      or discord_token.refresh_unanswered_since < given.now - interval '1 day'
    )
  order by discord_token.discord_user_id
  for no key update of discord_token skip locked
)

update discord_token
set
  access_token_sealed = locked.access_token,
  refresh_token_sealed = locked.refresh_token
from locked
where discord_token.discord_user_id = locked.discord_user_id
returning discord_token.discord_user_id
