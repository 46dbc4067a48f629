-- A ban that is in force.
-- $1 ban_id text
-- $2 now timestamptz
-- row: ban_id text, discord_user_id text, issuer text, subject text, banned_at timestamptz, expires_at timestamptz,
-- row: reason text, operator text
select
  ban_id,
  discord_user_id,
  issuer,
  subject,
  banned_at,
  expires_at,
  reason,
  operator
from ban
where ban_id = $1 and (expires_at is null or expires_at > $2)
