-- Records that a refresh failed, if the pair is still the one that was claimed, and frees the lease. A grant that Janus is
-- to end keeps its lease. With an end_cause Discord has ended the grant: its refresh token is not sent again. Its access
-- token is over too, unless only an answer was lost.
-- nothing
with given as not materialized (
  select
    $1::text as discord_user_id,
    $2::text as refresh_token_sealed, -- as it was when the lease was claimed
    $3::boolean as is_unspent, -- Discord did not take the refresh token, and no earlier refresh is unanswered
    $4::boolean as is_refused, -- it answered invalid_request
    $5::text as end_cause, -- null if the grant lives on
    $6::timestamptz as retry_at, -- when the refresh is sent again
    $7::timestamptz as now
),

failed as (
  update discord_token
  set
    leased_until = case when discord_token.end_reason is null then null else discord_token.leased_until end,
    refresh_unanswered_since = case
      when not given.is_unspent and given.end_cause is null then discord_token.refresh_unanswered_since
    end,
    refresh_failures = discord_token.refresh_failures + 1,
    refresh_refusals = case when given.is_refused then discord_token.refresh_refusals + 1 else 0 end,
    -- A wait that an earlier answer asked for goes on.
    refresh_retry_at = greatest(
      given.retry_at, refresh_put_off_until(discord_token.refresh_retry_at, 0, false, given.now)
    ),
    ended_at = case when given.end_cause is not null then given.now end,
    end_cause = given.end_cause,
    expires_at = case
      when given.end_cause <> 'unanswered' then least(discord_token.expires_at, given.now)
      else discord_token.expires_at
    end
  from given
  where
    discord_token.discord_user_id = given.discord_user_id
    and discord_token.refresh_token_sealed = given.refresh_token_sealed
    and discord_token.ended_at is null
  returning discord_token.discord_user_id, discord_token.end_reason
)

insert into audit_event (occurred_at, action, discord_user_id, detail)
select given.now, 'discord_grant_refused', failed.discord_user_id, jsonb_build_object('cause', given.end_cause)
from given
cross join failed
where given.end_cause is not null and failed.end_reason is null
