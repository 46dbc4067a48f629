-- Records that a push has nothing to tell Discord but a loss that is held, and frees the lease. A push that became due in
-- the meantime stays due. Discord was not asked, so pushes that failed before still count.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- $3 now timestamptz
-- nothing
update link
set
  push_due_at = nullif(push_due_at, push_leased_until),
  push_leased_until = null,
  loss_found_at = coalesce(loss_found_at, $3),
  loss_due_at = coalesce(loss_due_at, $3)
where discord_user_id = $1 and push_leased_until = $2
