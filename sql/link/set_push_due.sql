-- Records that a push failed, and why, frees the lease, and sets when the next push is due, unless one became due in the meantime.
-- Without a time no push is due until a sign-in: Discord has ended the grant, so it can be told no loss either.
-- A push that has outlived its lease records nothing, because another process may have pushed since.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 push_due_at timestamptz, null if Discord has ended the grant
-- $4 request_id text, null for a push of upkeep
-- $5 now timestamptz
-- $6 is_token_refused boolean: Discord answered 401 to an access token that it had just given
-- $7 code text: of the error
-- nothing
with failed as (
  update link
  set
    push_due_at = case
      -- A loss alone was to be told, so there is nothing else to push.
      when loss_due_at = push_leased_until and push_due_at is distinct from push_leased_until then push_due_at
      else coalesce(nullif(push_due_at, push_leased_until), $3)
    end,
    push_leased_until = null,
    -- A loss is tried again at the same time.
    loss_due_at = case
      when $3 is null then null
      when loss_due_at = push_leased_until then $3
      else loss_due_at
    end,
    loss_found_at = case when $3 is not null then loss_found_at end,
    token_refused_at = case when $6 then coalesce(token_refused_at, $5) else token_refused_at end,
    push_failures = push_failures + 1,
    push_failed_code = $7
  where discord_user_id = $1 and push_leased_until = $2
  returning discord_user_id, issuer, subject
)

insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
select
  $5,
  'push_failed',
  failed.discord_user_id,
  failed.issuer,
  failed.subject,
  $4,
  jsonb_build_object('code', $7::text)
from failed
