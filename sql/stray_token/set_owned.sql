-- Gives stray Discord tokens to the account that owns them. If that account has a grant, the tokens are forgotten,
-- because the end of the grant ends every token of the member. Otherwise they become an abandoned grant, which ends
-- when no session needs it. No row comes back while a grant of the account is to end: it may have been revoked before
-- Discord issued these tokens.
-- $1 stray_token_id text
-- $2 discord_user_id text
-- $3 username text
-- $4 global_name text, null if the member chose none
-- $5 access_token_sealed text: sealed for that account's row
-- $6 refresh_token_sealed text: sealed for that account's row
-- $7 now timestamptz
-- row: stray_token_id text
with held as (
  select discord_token.end_reason
  from discord_token
  where discord_token.discord_user_id = $2
),

settled as (
  delete from stray_token
  where stray_token_id = $1 and not exists (select from held where held.end_reason is not null)
  returning stray_token_id, scope, expires_at, obtained_at
),

account as (
  insert into discord_account (discord_user_id, username, global_name, created_at, updated_at)
  select
    $2,
    $3,
    $4,
    $7,
    $7
  from settled
  where not exists (select from held)
  on conflict (discord_user_id) do update
    set updated_at = excluded.updated_at
  returning discord_user_id
),

abandoned as (
  insert into discord_token (
    discord_user_id,
    access_token_sealed,
    refresh_token_sealed,
    scope,
    expires_at,
    obtained_at,
    end_reason,
    end_due_at
  )
  select
    account.discord_user_id,
    $5,
    $6,
    coalesce(settled.scope, ''),
    coalesce(settled.expires_at, $7),
    settled.obtained_at,
    'abandoned',
    $7
  from settled
  cross join account
  on conflict (discord_user_id) do nothing
)

select settled.stray_token_id
from settled
