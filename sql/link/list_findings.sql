-- What an operator should look at: one row for each kind of finding, with its count and the first few examples.
-- $1 overdue_before timestamptz: anything due before this is overdue
-- $2 failed_often integer: anything that has failed this often is failing
-- $3 example_count integer
-- rows: kind text, count integer, examples jsonb
with found as (
  select
    'role_connection_left' as kind,
    role_connection_left.discord_user_id as example,
    role_connection_left.left_at as since
  from role_connection_left
  union all
  select
    'grant_end_failing',
    discord_token.discord_user_id,
    discord_token.obtained_at
  from discord_token
  where discord_token.end_reason is not null and discord_token.end_failures >= $2
  union all
  select
    'refresh_unanswered',
    discord_token.discord_user_id,
    discord_token.refresh_unanswered_since
  from discord_token
  where discord_token.end_reason is null and discord_token.refresh_unanswered_since < $1
  union all
  select
    'role_connection_clear_failing',
    discord_token.discord_user_id,
    discord_token.clear_due_at
  from discord_token
  where discord_token.clear_due_at is not null and discord_token.end_failures >= $2
  union all
  select
    'provider_grant_end_failing',
    organisation_token.subject,
    organisation_token.end_due_at
  from organisation_token
  where organisation_token.end_due_at is not null and organisation_token.end_failures >= $2
  union all
  select
    'push_failing',
    link.discord_user_id,
    link.linked_at
  from link
  where link.push_failures >= $2
  union all
  select
    'push_overdue',
    link.discord_user_id,
    link.push_due_at
  from link
  where link.push_due_at < $1
  union all
  select
    'stray_token_failing',
    coalesce(stray_token.discord_user_id, stray_token.subject, stray_token.stray_token_id),
    stray_token.obtained_at
  from stray_token
  where stray_token.failures >= $2
),

numbered as (
  select
    found.kind,
    found.example,
    row_number() over (
      partition by found.kind
      order by found.since, found.example
    ) as place,
    count(*) over (partition by found.kind) as count
  from found
)

select
  numbered.kind,
  max(numbered.count)::integer as count,
  jsonb_agg(numbered.example order by numbered.place) as examples
from numbered
where numbered.place <= $3::integer
group by numbered.kind
order by numbered.kind
