-- Marks abandoned grants as due to end, up to a limit: their second leg never came. A revocation ends every token of the
-- member, so it leaves out grants that a link, a flow or a session needs. It reads the whole table; the claims of ends do
-- not. Skips a grant that another process works on. It takes no lease, so a new sign-in may still replace the tokens. A
-- time beyond what a correct clock can write counts as now.
-- $1 limit bigint
-- $2 obtained_before timestamptz: a grant obtained later may still become a link
-- $3 now timestamptz
-- row: marked integer
with abandoned as (
  select discord_token.discord_user_id
  from discord_token
  where
    discord_token.end_reason is null
    and (discord_token.obtained_at < $2 or discord_token.obtained_at > $3::timestamptz + interval '1 hour')
    and not is_leased(discord_token.leased_until, $3)
    and not exists (select from link where link.discord_user_id = discord_token.discord_user_id)
    and not exists (select from flow where flow.discord_user_id = discord_token.discord_user_id)
    and not exists (select from session where session.discord_user_id = discord_token.discord_user_id)
  limit $1
  for update skip locked
),

marked as (
  update discord_token
  set
    end_reason = 'abandoned',
    end_due_at = $3,
    end_failures = 0,
    leased_until = null
  from abandoned
  where discord_token.discord_user_id = abandoned.discord_user_id
  returning discord_token.discord_user_id
)

select count(*)::integer as marked
from marked
