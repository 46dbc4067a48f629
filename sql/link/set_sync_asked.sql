-- Records that a member, or an operator, asks for a link to be synced, at most once a minute. is_asked is false if it is too
-- soon, or if the member is banned; no row says that no link exists. An earlier request beyond what a correct clock can
-- write does not count. The trail keeps which operator has asked.
-- $1 discord_user_id text
-- $2 asked_before timestamptz: a request before this no longer counts
-- $3 now timestamptz
-- $4 operator text, null if the member asks
-- row: discord_user_id text, is_asked boolean, sync_asked_at timestamptz, is_banned boolean
with asked as (
  update link
  set sync_asked_at = $3
  where
    discord_user_id = $1
    and (sync_asked_at is null or sync_asked_at <= $2 or sync_asked_at > $3::timestamptz + interval '5 minutes')
    and not is_banned(discord_user_id, issuer, subject, $3)
  returning discord_user_id
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, operator, detail)
  select $3, 'sync_asked', asked.discord_user_id, $4::text, '{"scope": "member"}'::jsonb
  from asked
  where $4::text is not null
)

select
  link.discord_user_id,
  asked.discord_user_id is not null as is_asked,
  link.sync_asked_at,
  is_banned(link.discord_user_id, link.issuer, link.subject, $3) as is_banned
from link
left join asked on link.discord_user_id = asked.discord_user_id
where link.discord_user_id = $1
