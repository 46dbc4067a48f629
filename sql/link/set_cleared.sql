-- Records that the role connection of a link was cleared, and why, and frees the lease. The link stays, so that the member
-- gets the role back once they are admitted again, or sign in again. A push that became due
-- in the meantime stays due. A push that has outlived its lease records nothing, because another process may have pushed
-- since.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 request_id text, null for a push of upkeep
-- $4 now timestamptz
-- $5 clear_cause text: not_admitted, or grant_ended
-- $6 loss text: what became of a loss: none, told, or counted (told, and the brake counts it)
-- $7 detail jsonb: the values that changed, by their keys
-- nothing
with cleared as (
  update link
  set
    pushed_metadata = '{}',
    pushed_platform_username = null,
    pushed_at = $4,
    cleared_at = $4,
    clear_cause = $5,
    loss_found_at = null,
    loss_due_at = null,
    lost_at = case when $6 in ('told', 'counted') then $4 else lost_at end,
    loss_counted_at = case when $6 = 'counted' then $4 else loss_counted_at end,
    push_due_at = nullif(push_due_at, push_leased_until),
    push_leased_until = null,
    push_failures = 0,
    push_failed_code = null,
    token_refused_at = null
  where discord_user_id = $1 and push_leased_until = $2
  returning discord_user_id, issuer, subject
),

-- What an earlier link left is cleared as well.
forgotten as (
  delete from role_connection_left
  using cleared
  where role_connection_left.discord_user_id = cleared.discord_user_id
)

insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
select $4, 'role_connection_cleared', cleared.discord_user_id, cleared.issuer, cleared.subject, $3, $7
from cleared
