-- Removes the tokens of a grant that has ended at Discord, if they are still the ones that were claimed, and the
-- account if nothing else needs it. If a refused sign-in has replaced the tokens in the meantime, the new ones are to
-- end now. A role connection that could not be cleared is remembered, so that the member's next link flow clears it.
-- $1 discord_user_id text
-- $2 access_token_sealed text: as it was when the end was claimed
-- $3 now timestamptz
-- $4 is_role_connection_left boolean: Janus could not clear it
-- $5 is_grant_left boolean: Janus could not revoke it and has given up
-- nothing
with locked_account as (
  select discord_user_id
  from discord_account
  where discord_user_id = $1
  for update
),

-- Reads the row again: a sign-in may have changed it while this statement waited for the account.
held as (
  select discord_token.discord_user_id, discord_token.access_token_sealed
  from locked_account
  inner join discord_token on locked_account.discord_user_id = discord_token.discord_user_id
  where discord_token.end_reason is not null
  for update of discord_token
),

ended as (
  delete from discord_token
  using held
  where discord_token.discord_user_id = held.discord_user_id and held.access_token_sealed = $2
  returning discord_token.discord_user_id
),

to_end as (
  update discord_token
  set
    end_due_at = $3,
    leased_until = null
  from held
  where discord_token.discord_user_id = held.discord_user_id and held.access_token_sealed <> $2
),

account as (
  delete from discord_account
  using ended
  where
    discord_account.discord_user_id = ended.discord_user_id
    and not exists (select from flow where flow.discord_user_id = ended.discord_user_id)
    and not exists (select from session where session.discord_user_id = ended.discord_user_id)
),

remembered as (
  insert into role_connection_left (discord_user_id, left_at)
  select
    ended.discord_user_id,
    $3
  from ended
  where $4
  on conflict (discord_user_id) do nothing
),

forgotten as (
  delete from role_connection_left
  using ended
  where role_connection_left.discord_user_id = ended.discord_user_id and not $4
)

insert into audit_event (occurred_at, action, discord_user_id)
select $3, told.action, ended.discord_user_id
from ended
cross join
  (
    values
    (1, 'role_connection_not_cleared', $4::boolean),
    (2, 'grant_ended', not $5::boolean),
    (3, 'grant_not_revoked', $5::boolean)
  ) as told (place, action, is_true)
where told.is_true
order by told.place
