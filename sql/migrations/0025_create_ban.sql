-- Bans: Discord accounts, and accounts at the provider, that may not link. docs/decisions/0050
-- Lock: none on a table that exists. The previous release runs on it: it does not know the table, so it still links what is
-- banned. This release ends such a link within half a minute.

create table ban (
  ban_id text not null,
  -- One of the two: an account at Discord, or one at the provider.
  discord_user_id text,
  issuer text,
  subject text,
  banned_at timestamptz not null,
  -- When it ends by itself; null if only an operator ends it.
  expires_at timestamptz,
  -- For operators only. Null if they gave none.
  reason text,
  operator text not null,
  constraint ban_pkey primary key (ban_id),
  constraint ban_discord_user_id_key unique (discord_user_id),
  constraint ban_subject_key unique (issuer, subject),
  constraint ban_account_check check (
    (discord_user_id is null) <> (subject is null) and (issuer is null) = (subject is null)
  ),
  constraint ban_reason_check check (length(reason) between 1 and 500)
);

create index ban_expires_at_idx on ban (expires_at) where expires_at is not null;
create index ban_banned_at_idx on ban (banned_at, ban_id);

-- Whether one of the two accounts of a member is banned. Null for an account that is not known yet. In plpgsql, since
-- PostgreSQL would plan the same in sql again for each statement.
create function is_banned(of_discord_user_id text, of_issuer text, of_subject text, at timestamptz) returns boolean
language plpgsql stable as $$
begin
  return
    exists (
      select from ban
      where ban.discord_user_id = of_discord_user_id and (ban.expires_at is null or ban.expires_at > at)
    )
    or exists (
      select from ban
      where
        ban.issuer = of_issuer
        and ban.subject = of_subject
        and (ban.expires_at is null or ban.expires_at > at)
    );
end
$$;

-- The same for a statement that makes a link. From here to the end of its transaction no ban is stored, so a ban is either
-- seen here or finds the link. The statement calls it before it locks a row. It is volatile, so that it sees a ban
-- that was stored while it waited.
create function meets_ban(of_discord_user_id text, of_issuer text, of_subject text, at timestamptz) returns boolean
language plpgsql as $$
begin
  lock table ban in row share mode;
  return is_banned(of_discord_user_id, of_issuer, of_subject, at);
end
$$;

-- Stores bans of one or both accounts of a member, in place of earlier ones, and says so in the trail. It waits for the
-- statements that make links. The trail does not get the reason, since members can read their trail.
create function place_ban(
  of_discord_user_id text,
  of_issuer text,
  of_subject text,
  ends_at timestamptz,
  why text,
  by_operator text,
  of_request_id text,
  at timestamptz
) returns integer language plpgsql as $$
declare
  placed integer := 0;
begin
  lock table ban in exclusive mode;
  if of_discord_user_id is not null then
    insert into ban (ban_id, discord_user_id, banned_at, expires_at, reason, operator)
    values (gen_random_uuid()::text, of_discord_user_id, at, ends_at, why, by_operator)
    on conflict (discord_user_id) do update
      set
        banned_at = excluded.banned_at,
        expires_at = excluded.expires_at,
        reason = excluded.reason,
        operator = excluded.operator;
    placed := placed + 1;
  end if;
  if of_subject is not null then
    insert into ban (ban_id, issuer, subject, banned_at, expires_at, reason, operator)
    values (gen_random_uuid()::text, of_issuer, of_subject, at, ends_at, why, by_operator)
    on conflict (issuer, subject) do update
      set
        banned_at = excluded.banned_at,
        expires_at = excluded.expires_at,
        reason = excluded.reason,
        operator = excluded.operator;
    placed := placed + 1;
  end if;
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, operator, detail)
  values (
    at, 'banned', of_discord_user_id, of_issuer, of_subject, of_request_id, by_operator,
    jsonb_build_object('until', ends_at)
  );
  return placed;
end
$$;
