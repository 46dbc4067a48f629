-- Does what a request of the recheck hook asks for: the claims of the named subjects are due now. If their membership has
-- ended, or goes on, that holds at once. A request that has come before does nothing. There is a row for each member who is
-- linked, and one without a member if nobody is.
-- rows: is_repeated boolean, discord_user_id text, is_changed boolean
with given as not materialized (
  select
    $1::text as event_id,
    $2::timestamptz as expires_at, -- a repeat after this is refused as too old
    $3::text as issuer,
    $4::jsonb as subjects, -- objects with the text subject
    $5::text as membership, -- null if nothing is said of it, otherwise gone or back
    $6::text as request_id, -- null if no request waits
    $7::timestamptz as now
),

-- Before every other lock: a request that waits for its own repeat holds nothing.
seen as (
  insert into received_event (source, event_id, expires_at)
  select 'hook', given.event_id, given.expires_at
  from given
  on conflict (source, event_id) do nothing
  returning event_id
),

named as (
  select distinct subjects.subject
  from seen
  cross join given
  cross join lateral jsonb_to_recordset(given.subjects) as subjects (subject text)
),

locked as (
  select link.discord_user_id, link.issuer, link.subject
  from given
  cross join named
  inner join link on given.issuer = link.issuer and named.subject = link.subject
  order by link.discord_user_id
  for no key update of link
),

changed as materialized (
  select
    locked.discord_user_id,
    locked.issuer,
    locked.subject,
    case given.membership
      when 'gone' then end_membership(locked.discord_user_id, 'hook', given.now)
      when 'back' then restore_membership(locked.discord_user_id, 'hook', given.now)
    end as is_changed
  from given
  cross join locked
),

-- The functions above have made the check of the others due.
due as (
  update link
  set check_due_at = least(link.check_due_at, given.now)
  from given, changed
  where link.discord_user_id = changed.discord_user_id and changed.is_changed is null
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
  select
    given.now,
    case
      when changed.is_changed is null then 'recheck_asked'
      when given.membership = 'gone' then 'membership_ended'
      else 'membership_restored'
    end,
    changed.discord_user_id,
    changed.issuer,
    changed.subject,
    given.request_id,
    jsonb_build_object('source', 'hook')
  from given
  cross join changed
)

select
  not exists (select from seen) as is_repeated,
  changed.discord_user_id,
  changed.is_changed is not null as is_changed -- the membership has ended, or goes on, by this request
from given
left join changed on true
