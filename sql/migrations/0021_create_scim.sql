-- What a SCIM client tells of the organisation's users and groups. A client does not repeat itself, so it is kept: of a
-- user no more than who it is and whether it is active, of a group its name and its members. RFC 7643
-- Lock: access exclusive on organisation_account, for the time that a column without a default takes; share for its new
-- index, which takes ten seconds for a million rows. The previous release runs on it: a sign-in there leaves the column as
-- it is.

-- What a SCIM client calls the member, by the claim that SCIM_CLAIM names. Null where that is the subject.
alter table organisation_account add column scim_subject text;
-- Migrations run in a transaction, and a table of one row a member is indexed in a moment.
-- squawk-ignore require-concurrent-index-creation
create index organisation_account_scim_subject_idx on organisation_account (coalesce(scim_subject, subject), issuer);

create table scim_user (
  scim_user_id text not null,
  -- The client's own id. Absent where it gave none.
  external_id text,
  user_name text not null,
  -- In lower case, since the case of a user name does not matter. RFC 7643 4.1.1
  user_name_key text not null,
  is_active boolean not null,
  created_at timestamptz not null,
  modified_at timestamptz not null,
  constraint scim_user_pkey primary key (scim_user_id),
  constraint scim_user_external_id_key unique (external_id),
  constraint scim_user_user_name_key_key unique (user_name_key)
);

-- Where the user name is the subject, it is compared exactly. OpenID Connect Core 2
create index scim_user_user_name_idx on scim_user (user_name);

create table scim_group (
  scim_group_id text not null,
  external_id text,
  display_name text not null,
  -- In lower case, since the case does not matter to a filter.
  display_name_key text not null,
  created_at timestamptz not null,
  modified_at timestamptz not null,
  -- A deleted group counts for nothing. Its members are removed page by page, and then the group.
  deleted_at timestamptz,
  -- Its name has changed, or it was deleted: members up to this id are due for a check already. Null if all are.
  settled_until text,
  constraint scim_group_pkey primary key (scim_group_id)
);

create unique index scim_group_external_id_key on scim_group (external_id) where deleted_at is null;
-- Rules know a group by its name.
create unique index scim_group_display_name_key on scim_group (display_name) where deleted_at is null;
create index scim_group_display_name_key_idx on scim_group (display_name_key);
create index scim_group_settled_until_idx on scim_group (scim_group_id) where settled_until is not null;

create table scim_member (
  scim_group_id text not null,
  scim_user_id text not null,
  constraint scim_member_pkey primary key (scim_group_id, scim_user_id),
  constraint scim_member_scim_group_id_fkey foreign key (scim_group_id) references scim_group (scim_group_id),
  -- A membership that is added while the user is being deleted goes with them.
  constraint scim_member_scim_user_id_fkey foreign key (scim_user_id)
    references scim_user (scim_user_id) on delete cascade
);

create index scim_member_scim_user_id_idx on scim_member (scim_user_id);

-- The subject of a user, by the attribute that SCIM_SUBJECT names.
create function scim_subject(attribute text, external_id text, user_name text) returns text
language sql immutable as $$
  select case when attribute = 'userName' then user_name else external_id end
$$;

-- Whether the user that a member is exists and is not active. Null for `attribute` where no SCIM client is asked.
create function is_scim_user_inactive(attribute text, scim_subject text) returns boolean language sql stable as $$
  select exists (
    select from scim_user
    where
      (
        (attribute = 'externalId' and scim_user.external_id = scim_subject)
        or (attribute = 'userName' and scim_user.user_name = scim_subject)
      )
      and not scim_user.is_active
  )
$$;

-- What the rules read of a user: `sources.scim`.
create function scim_facts(of_scim_user_id text, is_active boolean) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'active', is_active,
    'groups', coalesce(jsonb_agg(scim_group.display_name order by scim_group.display_name), '[]')
  )
  from scim_member
  inner join scim_group on scim_member.scim_group_id = scim_group.scim_group_id
  where scim_member.scim_user_id = of_scim_user_id and scim_group.deleted_at is null
$$;

-- What a SCIM client says of a user makes the link of that subject due for a check: the membership has `ended`, `goes_on`,
-- or something else has `changed`. Gives what came of it; no row if there is no link. It is volatile, so that it sees a
-- link that was stored while the statement waited for the row of the user.
create function hear_of_scim_user(word text, of_issuer text, of_subject text, of_request_id text, at timestamptz)
returns table (discord_user_id text, effect text) language plpgsql as $$
declare
  held record;
begin
  select link.discord_user_id, link.issuer, link.subject, link.check_due_at, link.gone_at, link.gone_source
  into held
  from organisation_account
  inner join link
    on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
  where
    coalesce(organisation_account.scim_subject, organisation_account.subject) = of_subject
    and organisation_account.issuer = of_issuer
  order by link.discord_user_id
  limit 1
  for no key update of link;
  if not found then
    return;
  end if;
  discord_user_id := held.discord_user_id;
  effect := case
    when word = 'ended' and held.gone_at is null then 'ended'
    when word = 'goes_on' and held.gone_source = 'scim' then 'restored'
    else 'rechecked'
  end;
  update link
  set
    check_due_at = least(link.check_due_at, at),
    gone_at = case effect when 'ended' then at when 'rechecked' then link.gone_at end,
    gone_source = case effect when 'ended' then 'scim' when 'rechecked' then link.gone_source end
  where link.discord_user_id = held.discord_user_id;
  if effect <> 'rechecked' or held.check_due_at > at then
    insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
    values (
      at,
      case effect when 'ended' then 'membership_ended' when 'restored' then 'membership_restored' else 'recheck_asked' end,
      held.discord_user_id,
      held.issuer,
      held.subject,
      of_request_id,
      '{"source": "scim"}'
    );
  end if;
  return next;
end
$$;

-- Makes the links of users due for a check, because their groups have changed. Gives the links that were not due yet.
create function recheck_scim_users(
  scim_user_ids text[], attribute text, of_issuer text, of_request_id text, at timestamptz
) returns setof text language sql as $$
  with held as (
    select link.discord_user_id, link.issuer, link.subject
    from scim_user
    inner join organisation_account
      on
        coalesce(organisation_account.scim_subject, organisation_account.subject)
        = scim_subject(attribute, scim_user.external_id, scim_user.user_name)
        and organisation_account.issuer = of_issuer
    inner join link
      on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
    where scim_user.scim_user_id = any(scim_user_ids)
    order by link.discord_user_id
    for no key update of link
  ),

  told as (
    update link
    set check_due_at = at
    from held
    where link.discord_user_id = held.discord_user_id and link.check_due_at > at
    returning link.discord_user_id, link.issuer, link.subject
  ),

  audit as (
    insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
    select at, 'recheck_asked', told.discord_user_id, told.issuer, told.subject, of_request_id, '{"source": "scim"}'
    from told
  )

  select told.discord_user_id from told
$$;
