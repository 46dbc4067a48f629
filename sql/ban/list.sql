-- A page of the bans that are in force, the newest first.
-- $1 banned_before timestamptz: the time of the last ban of the page before
-- $2 before_id text: its id
-- $3 limit bigint
-- $4 now timestamptz
-- $5 of_discord_user_id text, null for all accounts
-- $6 of_issuer text, null for all providers
-- $7 of_subject text, null for all subjects
-- rows: ban_id text, discord_user_id text, issuer text, subject text, banned_at timestamptz, expires_at timestamptz,
-- rows: reason text, operator text
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
where
  (banned_at, ban_id) < ($1, $2)
  and (expires_at is null or expires_at > $4)
  and ($5::text is null or discord_user_id = $5)
  and ($6::text is null or issuer = $6)
  and ($7::text is null or subject = $7)
order by banned_at desc, ban_id desc
limit $3
