-- What operators and administrators have done with a member's link, and with bans of the member's accounts, the newest first.
-- What was done more than once within an hour comes once, with its last time: whoever helps a member looks at their link
-- many times. A ban of an account at the provider alone is the member's if it was the account of their latest link. An
-- account that was linked to another Discord account since is that one's.
-- $1 discord_user_id text
-- $2 since timestamptz
-- $3 limit bigint
-- rows: discord_user_id text, occurred_at timestamptz, action text
with latest as (
  select
    issuer,
    subject,
    action
  from audit_event
  where
    discord_user_id = $1
    and action in ('linked', 'relinked', 'link_moved', 'link_replaced', 'unlinked', 'imported', 'adopted')
  order by audit_event_id desc
  limit 1
),

found as (
  select
    audit_event_id,
    occurred_at,
    action,
    detail
  from audit_event
  where
    discord_user_id = $1
    and occurred_at > $2
    and operator is not null
    and action in (
      'looked_at', 'sync_asked', 'sessions_purged', 'unlinked', 'imported', 'adopted', 'banned', 'ban_lifted'
    )
  union all
  select
    audit_event.audit_event_id,
    audit_event.occurred_at,
    audit_event.action,
    audit_event.detail
  from latest
  inner join audit_event on latest.issuer = audit_event.issuer and latest.subject = audit_event.subject
  where
    latest.action <> 'link_replaced'
    and audit_event.discord_user_id is null
    and audit_event.issuer is not null
    and audit_event.occurred_at > $2
    and audit_event.operator is not null
    and audit_event.action in ('looked_at', 'banned', 'ban_lifted')
),

named as (
  select
    audit_event_id,
    occurred_at,
    case when action = 'looked_at' and detail ->> 'at' = 'ban' then 'ban_looked_at' else action end as action
  from found
)

select
  $1 as discord_user_id,
  max(occurred_at) as occurred_at,
  action
from named
group by action, date_trunc('hour', occurred_at)
order by max(audit_event_id) desc
limit $3
