-- Links of which an account is banned, up to a limit. They are to end.
-- $1 now timestamptz
-- $2 limit bigint
-- rows: discord_user_id text
select link.discord_user_id
from ban
inner join link on ban.discord_user_id = link.discord_user_id
where ban.expires_at is null or ban.expires_at > $1
union
select link.discord_user_id
from ban
inner join link on ban.issuer = link.issuer and ban.subject = link.subject
where ban.expires_at is null or ban.expires_at > $1
limit $2
