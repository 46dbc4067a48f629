-- The bans in force of a member, for the copy of their data. The reason and the operator are not in it.
-- $1 discord_user_id text
-- $2 issuer text, null if the member has no link
-- $3 subject text, null if the member has no link
-- $4 now timestamptz
-- rows: banned_at timestamptz, expires_at timestamptz
select
  banned_at,
  expires_at
from ban
where
  (discord_user_id = $1 or (issuer = $2 and subject = $3))
  and (expires_at is null or expires_at > $4)
order by banned_at
