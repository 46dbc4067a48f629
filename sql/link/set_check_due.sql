-- Makes a member's link due for a check before all others. No row comes back if there is no link, or if another process
-- checks it at this moment.
-- $1 discord_user_id text
-- $2 check_due_at timestamptz
-- $3 now timestamptz
-- row: discord_user_id text
update link
set check_due_at = $2
where discord_user_id = $1 and not is_leased(check_leased_until, $3)
returning discord_user_id
