-- What rules need of a link: the answers of the sources that they read, the platform username that was pushed, and
-- whether the role connection was cleared because the organisation no longer admits the member. docs/decisions/0040
-- Lock: access exclusive on organisation_account, link and audit_event, for the time that a column without a default or
-- with a constant one, two triggers, or a check that existing rows are not held to, takes.
-- The previous release runs on it. It does not know the new columns; the triggers keep them right for what it writes. It
-- can read claims that are texts or lists of texts alone, as without RULES_FILE, and it pushes without rules. So
-- RULES_FILE is set once no process of the previous release is left. A later migration drops the triggers.

-- By the names of the sources. A source that gave no answer is absent.
alter table organisation_account add column sources jsonb not null default '{}';
alter table organisation_account add constraint organisation_account_sources_check
check (jsonb_typeof(sources) = 'object') not valid;

-- Null where none was pushed, or where an earlier release pushed it.
alter table link add column pushed_platform_username text;
-- Since when Discord has no role connection, because the member is not admitted any more; null otherwise.
alter table link add column cleared_at timestamptz;

-- The old list is part of the new one, so no row can fail it.
alter table audit_event drop constraint audit_event_action_check;
alter table audit_event add constraint audit_event_action_check check (
  action in (
    'discord_authorized',
    'linked',
    'relinked',
    'conflict_met',
    'not_admitted',
    'link_moved',
    'link_replaced',
    'unlinked',
    'role_connection_pushed',
    'role_connection_cleared',
    'push_failed',
    'role_connection_not_cleared',
    'grant_ended',
    'grant_not_revoked',
    'provider_grant_ended',
    'signed_in',
    'signed_out',
    'session_ended',
    'data_exported'
  )
) not valid;

-- When the push is due that begins while another one may run: at the end of its lease, as always; but if the other one
-- holds a lease, again after that. The other one may have read earlier claims, and may reach Discord last.
create function push_due_beside(
  held_until timestamptz, leased_until timestamptz, now timestamptz
) returns timestamptz language sql stable as $$
  select case when is_leased(held_until, now) then held_until + interval '1 second' else leased_until end
$$;

-- Lets the grant of a member who was not admitted end at once, as one that was abandoned, unless a link, another flow or
-- a session needs it, or another process works on it. The caller has locked the grant and taken the flow. A function
-- sees what was committed while the caller waited for that lock; the statement itself would not. docs/decisions/0028
create function abandon_grant(discord_user_id text, now timestamptz) returns boolean language plpgsql as $$
begin
  update discord_token
  set
    end_reason = 'abandoned',
    end_due_at = abandon_grant.now,
    end_failures = 0,
    leased_until = null
  where
    discord_token.discord_user_id = abandon_grant.discord_user_id
    and discord_token.end_reason is null
    and not is_leased(discord_token.leased_until, abandon_grant.now)
    and not exists (select from link where link.discord_user_id = abandon_grant.discord_user_id)
    and not exists (select from flow where flow.discord_user_id = abandon_grant.discord_user_id)
    and not exists (select from session where session.discord_user_id = abandon_grant.discord_user_id);
  return found;
end
$$;

-- A push of the previous release brings back a role connection that was cleared.
create function end_clearing_of_previous_release() returns trigger language plpgsql as $$
begin
  new.cleared_at := null;
  new.pushed_platform_username := null;
  return new;
end
$$;

create trigger link_end_clearing before update of pushed_at on link
for each row when (
  new.cleared_at is not null
  and new.cleared_at is not distinct from old.cleared_at
  and new.pushed_at is distinct from old.pushed_at
)
execute function end_clearing_of_previous_release();

-- An unlink forgets the claims, and with them what the sources said. A sign-in changes claims_seen_at.
create function forget_sources_of_previous_release() returns trigger language plpgsql as $$
begin
  new.sources := '{}';
  return new;
end
$$;

create trigger organisation_account_forget_sources before update of claims on organisation_account
for each row when (new.claims = '{}' and new.sources <> '{}' and new.claims_seen_at = old.claims_seen_at)
execute function forget_sources_of_previous_release();
