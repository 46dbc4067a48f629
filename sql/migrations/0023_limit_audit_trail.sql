-- Ends the trail of people who have no link any more, after RETENTION_DAYS, and remembers when the last backup was made.
-- docs/privacy.md
-- Until now the database refused each change of the trail. From now on it lets one function delete rows, and of them only
-- those whose person has no link.
-- Lock: none on a table that exists. The previous release runs on it: it knows neither the function nor the new tables.

-- How far the trail was read for that, and when it is read again. One row; none before the first time.
create table audit_retention (
  audit_retention_id boolean not null default true,
  begins_at timestamptz not null,
  -- The last row that was read; 0 before the first one.
  read_until bigint not null,
  constraint audit_retention_pkey primary key (audit_retention_id),
  constraint audit_retention_one_row_check check (audit_retention_id),
  constraint audit_retention_read_until_check check (read_until >= 0)
);

-- When the last backup was made, as far as Janus was told. One row; none before the first time.
create table backup (
  backup_id boolean not null default true,
  taken_at timestamptz not null,
  constraint backup_pkey primary key (backup_id),
  constraint backup_one_row_check check (backup_id)
);

-- Whether one of the two accounts that a row of the trail names has a link.
create function is_linked(of_discord_user_id text, of_issuer text, of_subject text) returns boolean
language sql stable as $$
  select
    exists (select from link where link.discord_user_id = of_discord_user_id)
    or exists (select from link where link.issuer = of_issuer and link.subject = of_subject)
$$;

-- Refuses every change of the trail but what delete_old_audit_events does. A setting of its transaction tells it, since a
-- trigger does not learn which statement it belongs to. It protects from mistakes, not from somebody who may alter tables.
create or replace function refuse_audit_event_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if
      current_setting('janus.audit_retention', true) = 'on'
      and not is_linked(old.discord_user_id, old.issuer, old.subject)
    then
      return old;
    end if;
  end if;
  raise exception 'audit_event is append-only' using errcode = 'restrict_violation';
end
$$;

-- Reads the next rows of the trail, in the order in which they were stored, and deletes those that happened before a time
-- and whose person has no link. Rows of nobody stay. At the end of the old rows it begins again, a day later. It says how
-- many rows it read: 0 if it is not time, or if another process is at it.
create function delete_old_audit_events(
  occurred_before timestamptz, at timestamptz, most bigint, out read integer, out deleted integer
) language plpgsql as $$
declare
  progress record;
  page record;
begin
  read := 0;
  deleted := 0;
  if not exists (select from audit_retention) then
    insert into audit_retention (begins_at, read_until) values (at, 0)
    on conflict (audit_retention_id) do nothing;
  end if;

  select audit_retention.read_until
  into progress
  from audit_retention
  -- A time beyond what a correct clock can write has no effect. docs/decisions/0028
  where audit_retention.begins_at <= at or audit_retention.begins_at > at + interval '1 day 15 minutes'
  for update skip locked;
  if not found then
    return;
  end if;

  select
    count(*)::integer as events,
    max(event.audit_event_id) as last_id,
    coalesce(bool_or(event.occurred_at < occurred_before), false) as has_old
  into page
  from (
    select
      audit_event.audit_event_id,
      audit_event.occurred_at
    from audit_event
    where audit_event.audit_event_id > progress.read_until
    order by audit_event.audit_event_id
    limit most
  ) as event;
  read := page.events;

  perform set_config('janus.audit_retention', 'on', true);
  delete from audit_event
  where
    audit_event.audit_event_id > progress.read_until
    and audit_event.audit_event_id <= page.last_id
    and audit_event.occurred_at < occurred_before
    and (audit_event.discord_user_id is not null or audit_event.subject is not null)
    and not is_linked(audit_event.discord_user_id, audit_event.issuer, audit_event.subject);
  get diagnostics deleted = row_count;
  perform set_config('janus.audit_retention', '', true);

  if read = most and page.has_old then
    update audit_retention set read_until = page.last_id;
  else
    update audit_retention set read_until = 0, begins_at = at + interval '1 day';
  end if;
end
$$;
