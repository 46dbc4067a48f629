-- What an operator should look at: one row for each kind of finding, with its count and the first few examples. Most kinds
-- have an index that leads to their own rows; for the others each table is read once, since an audit is rare. Each kind is
-- counted up to a limit, so that this is quick whatever is found.
-- $1 overdue_before timestamptz: anything due before this is overdue
-- $2 failed_often integer: anything that has failed this often is failing
-- $3 example_count bigint
-- $4 most_counted bigint: how many of a kind are counted at most
-- $5 claims_seen_before timestamptz: claims that were seen before this are old
-- $6 ended_before timestamptz: the grace of a grant that the provider ended before this is over
-- $7 read_back_before timestamptz: what Discord has was to be read since then
-- rows: kind text, count integer, examples jsonb
with old as (
  select
    link.discord_user_id,
    link.issuer,
    link.subject,
    organisation_account.claims_seen_at
  from organisation_account
  inner join link on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
  where
    organisation_account.claims_seen_at < $5
    -- Nothing is read for a member who has removed Janus at Discord.
    and not exists (
      select from discord_token
      where discord_token.discord_user_id = link.discord_user_id and discord_token.end_cause = 'deauthorized'
    )
  order by organisation_account.claims_seen_at
  limit $4
),

found as (
  (
    select
      'role_connection_left' as kind,
      role_connection_left.discord_user_id as example,
      role_connection_left.left_at as since
    from role_connection_left
    order by role_connection_left.left_at
    limit $4
  )
  union all
  (
    select
      'grant_end_failing',
      discord_token.discord_user_id,
      discord_token.obtained_at
    from discord_token
    where discord_token.end_due_at is not null and discord_token.end_failures >= $2
    limit $4
  )
  union all
  (
    select
      'refresh_unanswered',
      discord_token.discord_user_id,
      discord_token.refresh_unanswered_since
    from discord_token
    where
      discord_token.end_reason is null
      and discord_token.refresh_unanswered_since < $1
      -- A restore marks all tokens, and has lost no answer.
      and not exists (
        select from backup
        where backup.restored_at = discord_token.refresh_unanswered_since
      )
    order by discord_token.refresh_unanswered_since
    limit $4
  )
  union all
  (
    select
      'discord_grant_ended',
      link.discord_user_id,
      discord_token.ended_at
    from discord_token
    inner join link on discord_token.discord_user_id = link.discord_user_id
    where discord_token.ended_at is not null
    order by discord_token.ended_at
    limit $4
  )
  union all
  (
    select
      'discord_grant_ended',
      link.discord_user_id,
      link.token_refused_at
    from link
    inner join discord_token on link.discord_user_id = discord_token.discord_user_id
    where link.token_refused_at is not null and discord_token.ended_at is null
    order by link.token_refused_at
    limit $4
  )
  union all
  (
    select
      'role_connection_clear_failing',
      discord_token.discord_user_id,
      discord_token.clear_due_at
    from discord_token
    where discord_token.clear_due_at is not null and discord_token.end_failures >= $2
    limit $4
  )
  union all
  (
    select
      'provider_grant_end_failing',
      organisation_token.subject,
      organisation_token.end_due_at
    from organisation_token
    where organisation_token.end_due_at is not null and organisation_token.end_failures >= $2
    limit $4
  )
  union all
  -- Without a refresh token nothing can read the claims again.
  (
    select
      'link_without_tokens',
      link.discord_user_id,
      link.linked_at
    from organisation_token
    inner join link on organisation_token.issuer = link.issuer and organisation_token.subject = link.subject
    where organisation_token.refresh_token_sealed is null
    limit $4
  )
  union all
  -- Only an imported link has no such row, until its member signs in. Claims that nothing reads grow old, which finds it.
  (
    select
      'link_without_tokens',
      old.discord_user_id,
      old.claims_seen_at
    from old
    left join organisation_token on old.issuer = organisation_token.issuer and old.subject = organisation_token.subject
    where organisation_token.issuer is null
    limit $4
  )
  union all
  (
    select
      'provider_grant_in_grace',
      link.discord_user_id,
      organisation_token.ended_at
    from organisation_token
    inner join link on organisation_token.issuer = link.issuer and organisation_token.subject = link.subject
    where
      organisation_token.ended_at > $6
      and organisation_token.end_cause in ('invalid_grant', 'invalid_request')
    order by organisation_token.ended_at
    limit $4
  )
  union all
  (
    select
      'provider_grant_ended',
      link.discord_user_id,
      organisation_token.ended_at
    from organisation_token
    inner join link on organisation_token.issuer = link.issuer and organisation_token.subject = link.subject
    where
      organisation_token.ended_at <= $6
      and organisation_token.end_cause in ('invalid_grant', 'invalid_request')
    order by organisation_token.ended_at
    limit $4
  )
  union all
  (
    select
      'provider_grant_lost',
      link.discord_user_id,
      organisation_token.ended_at
    from organisation_token
    inner join link on organisation_token.issuer = link.issuer and organisation_token.subject = link.subject
    where organisation_token.ended_at is not null and organisation_token.end_cause = 'unanswered'
    order by organisation_token.ended_at
    limit $4
  )
  union all
  (
    select
      'claims_old',
      old.discord_user_id,
      old.claims_seen_at
    from old
    limit $4
  )
  union all
  (
    select
      'check_overdue',
      link.discord_user_id,
      link.check_due_at
    from link
    where link.check_due_at < $1
    order by link.check_due_at
    limit $4
  )
  union all
  (
    select
      'push_failing',
      link.discord_user_id,
      link.linked_at
    from link
    where
      -- Tells the planner that few rows match, whatever the values.
      link.push_failures > 0
      and link.push_failures >= $2
    limit $4
  )
  union all
  (
    select
      'push_overdue',
      link.discord_user_id,
      link.push_due_at
    from link
    where link.push_due_at < $1
    order by link.push_due_at
    limit $4
  )
  union all
  (
    select
      'losses_held',
      link.discord_user_id,
      link.loss_found_at
    from brake
    inner join link on brake.released_at is null or link.loss_found_at > brake.released_at
    where brake.held_at is not null and link.loss_due_at is not null
    limit $4
  )
  union all
  (
    select
      'loss_overdue',
      link.discord_user_id,
      link.loss_due_at
    from link
    left join brake on true
    where link.loss_due_at < $1 and (brake.held_at is null or link.loss_found_at <= brake.released_at)
    order by link.loss_due_at
    limit $4
  )
  union all
  (
    select
      'drift',
      link.discord_user_id,
      link.drift_found_at
    from link
    where link.drift_found_at is not null
    order by link.drift_found_at
    limit $4
  )
  union all
  (
    select
      'drift',
      link.discord_user_id,
      greatest(link.reconciled_at, link.pushed_at)
    from link
    where
      link.disconnected_at is null
      and greatest(link.reconciled_at, link.pushed_at) < $7
      and link.drift_found_at is null
      -- With a grant that is over, nothing can be read.
      and not exists (
        select from discord_token
        where discord_token.discord_user_id = link.discord_user_id and discord_token.ended_at is not null
      )
    order by greatest(link.reconciled_at, link.pushed_at)
    limit $4
  )
  union all
  (
    select
      'disconnected',
      link.discord_user_id,
      link.disconnected_at
    from link
    where link.disconnected_at is not null
    order by link.disconnected_at
    limit $4
  )
  union all
  (
    select
      'stray_token_failing',
      coalesce(stray_token.discord_user_id, stray_token.subject, stray_token.stray_token_id),
      stray_token.obtained_at
    from stray_token
    where stray_token.failures >= $2
    limit $4
  )
)

select
  kinds.kind,
  least(kinds.count, $4)::integer as count,
  (
    select jsonb_agg(first.example order by first.since, first.example)
    from (
      select found.example, found.since
      from found
      where found.kind = kinds.kind
      order by found.since, found.example
      limit $3
    ) as first
  ) as examples
from (
  select found.kind, count(*) as count
  from found
  group by found.kind
) as kinds
order by kinds.kind
