-- Records that Discord took a role connection, and frees the lease. A push that became due in the meantime stays due. A
-- push that has outlived its lease records nothing, because another process may have pushed since. If the membership has
-- ended in the meantime, the loss stays due.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 pushed_metadata jsonb
-- $4 pushed_platform_username text, null if the role connection has none
-- $5 request_id text, null for a push of upkeep
-- $6 now timestamptz
-- $7 loss text: what became of a loss: none, told, counted (told, and the brake counts it), or held
-- $8 detail jsonb: the values that changed, by their keys
-- nothing
with pushed as (
  update link
  set
    pushed_metadata = $3,
    pushed_platform_username = $4,
    pushed_at = $6,
    cleared_at = null,
    clear_cause = null,
    disconnected_at = null,
    token_refused_at = null,
    loss_found_at = case
      when $7 = 'held' then coalesce(loss_found_at, $6)
      when gone_at is not null then loss_found_at
    end,
    loss_due_at = case
      when $7 = 'held' then coalesce(loss_due_at, $6)
      when gone_at is not null then loss_due_at
    end,
    lost_at = case when $7 in ('told', 'counted') then $6 else lost_at end,
    loss_counted_at = case when $7 = 'counted' then $6 else loss_counted_at end,
    push_due_at = nullif(push_due_at, push_leased_until),
    push_leased_until = null,
    push_failures = 0,
    push_failed_code = null
  where discord_user_id = $1 and push_leased_until = $2
  returning discord_user_id, issuer, subject
),

-- This push has replaced the role connection that an earlier link left.
forgotten as (
  delete from role_connection_left
  using pushed
  where role_connection_left.discord_user_id = pushed.discord_user_id
)

insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
select $6, 'role_connection_pushed', pushed.discord_user_id, pushed.issuer, pushed.subject, $5, $8
from pushed
