-- Claims stray tokens that are due. No other process takes them until the lease ends. A time beyond what a correct
-- clock can write counts as now.
-- $1 limit bigint
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- rows: stray_token_id text, discord_user_id text, issuer text, subject text, access_token_sealed text,
-- rows: refresh_token_sealed text, scope text, expires_at timestamptz, obtained_at timestamptz, failures integer
with due as (
  select stray_token.stray_token_id
  from stray_token
  where stray_token.due_at <= $3 or stray_token.due_at > $3::timestamptz + interval '2 hours'
  order by stray_token.due_at
  limit $1
  for update skip locked
)

update stray_token
set due_at = $2
from due
where stray_token.stray_token_id = due.stray_token_id
returning
  stray_token.stray_token_id,
  stray_token.discord_user_id,
  stray_token.issuer,
  stray_token.subject,
  stray_token.access_token_sealed,
  stray_token.refresh_token_sealed,
  stray_token.scope,
  stray_token.expires_at,
  stray_token.obtained_at,
  stray_token.failures
