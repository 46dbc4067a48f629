-- Looks at other links because of a loss: the links that would be read next are read now, unless they were read a moment
-- ago. No row comes back if another process has done so since.
-- $1 now timestamptz
-- $2 looked_before timestamptz: a look that is older counts no more
-- $3 seen_after timestamptz: links that were read since need not be read again
-- $4 limit bigint
-- row: looking integer
with looked as (
  insert into brake (looked_at, seen_after)
  values ($1, $3)
  on conflict (brake_id) do update
    set
      looked_at = excluded.looked_at,
      seen_after = excluded.seen_after
    where brake.looked_at is null or brake.looked_at <= $2 or brake.looked_at > excluded.looked_at
  returning brake_id
),

next as (
  select link.discord_user_id
  from looked
  cross join link
  inner join organisation_account
    on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
  where
    link.check_due_at > $1
    and link.check_failures = 0
    and not is_leased(link.check_leased_until, $1)
    and organisation_account.claims_seen_at <= $3
  order by link.check_due_at
  limit $4
  for update of link skip locked
),

brought_forward as (
  update link
  set check_due_at = $1
  from next
  where link.discord_user_id = next.discord_user_id
  returning link.discord_user_id
)

select count(brought_forward.discord_user_id)::integer as looking
from looked
left join brought_forward on true
having count(looked.brake_id) > 0
