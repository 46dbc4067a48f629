-- Links of which an account is banned, up to a limit. They are to end. Each ban looks for its own link, since a join would
-- read all links.
-- $1 now timestamptz
-- $2 limit bigint
-- rows: discord_user_id text
select linked.discord_user_id
from ban
cross join lateral (
  select link.discord_user_id
  from link
  where link.discord_user_id = ban.discord_user_id
  limit 1
) as linked
where ban.expires_at is null or ban.expires_at > $1
union
select linked.discord_user_id
from ban
cross join lateral (
  select link.discord_user_id
  from link
  where link.issuer = ban.issuer and link.subject = ban.subject
  limit 1
) as linked
where ban.expires_at is null or ban.expires_at > $1
limit $2
