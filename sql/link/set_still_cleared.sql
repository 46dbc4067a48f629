-- Records that the role connection of a link is still cleared, because the member is still not admitted, and frees the
-- lease. When it was cleared first stays. A push that became due in the meantime stays due.
-- $1 discord_user_id text
-- $2 leased_until timestamptz
-- nothing
update link
set
  push_due_at = nullif(push_due_at, push_leased_until),
  push_leased_until = null,
  push_failures = 0,
  push_failed_code = null,
  token_refused_at = null,
  loss_found_at = null,
  loss_due_at = null
where discord_user_id = $1 and push_leased_until = $2
