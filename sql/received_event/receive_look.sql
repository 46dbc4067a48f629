-- Keeps in the trail of a member that an admin looks at their link by a command in Discord. A command that has come before
-- does nothing, and has no row.
-- row: discord_user_id text
with given as not materialized (
  select
    $1::text as event_id,
    $2::timestamptz as expires_at, -- a repeat after this is refused as too old
    $3::text as discord_user_id,
    $4::text as operator,
    $5::jsonb as detail,
    $6::text as request_id, -- null if no request waits
    $7::timestamptz as now
),

seen as (
  insert into received_event (source, event_id, expires_at)
  select 'discord', given.event_id, given.expires_at
  from given
  on conflict (source, event_id) do nothing
  returning event_id
)

insert into audit_event (occurred_at, action, discord_user_id, operator, detail, request_id)
select given.now, 'looked_at', given.discord_user_id, given.operator, given.detail, given.request_id
from given
cross join seen
returning discord_user_id
