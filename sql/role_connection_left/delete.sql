-- Forgets a role connection that was left behind: the operator has dealt with it.
-- $1 discord_user_id text
-- row: discord_user_id text
delete from role_connection_left
where discord_user_id = $1
returning discord_user_id
