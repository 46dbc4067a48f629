-- Records that Discord took these role connections. A push that has outlived its lease records nothing, because another
-- process may have pushed since.
-- $1 pushes jsonb: a list of objects with discord_user_id, leased_until, pushed_metadata, pushed_at, request_id
-- nothing
with push as (
  select
    item.discord_user_id,
    item.leased_until,
    item.pushed_metadata,
    item.pushed_at,
    item.request_id
  from
    jsonb_to_recordset($1) as item (
      discord_user_id text,
      leased_until timestamptz,
      pushed_metadata jsonb,
      pushed_at timestamptz,
      request_id text
    )
),

-- In the order of docs/decisions/0028, since other processes may record pushes of the same links at the same moment.
locked as (
  select link.discord_user_id
  from push
  inner join link on push.discord_user_id = link.discord_user_id and push.leased_until = link.push_due_at
  order by link.discord_user_id
  for no key update of link
),

pushed as (
  update link
  set
    pushed_metadata = push.pushed_metadata,
    pushed_at = push.pushed_at,
    push_due_at = null,
    push_failures = 0
  from push
  where
    link.discord_user_id = push.discord_user_id
    and link.push_due_at = push.leased_until
    and (select count(*) from locked) >= 0
  returning link.discord_user_id, link.issuer, link.subject, push.pushed_at, push.request_id
),

-- This push has replaced the role connection that an earlier link left.
forgotten as (
  delete from role_connection_left
  using pushed
  where role_connection_left.discord_user_id = pushed.discord_user_id
)

insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
select
  pushed.pushed_at,
  'role_connection_pushed',
  pushed.discord_user_id,
  pushed.issuer,
  pushed.subject,
  pushed.request_id
from pushed
