-- Claims grants that are to end at Discord: those marked so, and those whose second leg never came, which no link, no
-- flow and no session needs, since revoking ends every token of the member. Until the lease ends no other process takes
-- them, and no new sign-in replaces them. A time that no correct clock can have put so far ahead counts as now.
-- $1 limit bigint
-- $2 abandoned_before timestamptz: grants obtained earlier than this count as abandoned
-- $3 leased_until timestamptz
-- $4 now timestamptz
-- $5 only_discord_user_id text, null for anybody
-- rows: discord_user_id text, access_token_sealed text, refresh_token_sealed text, expires_at timestamptz,
-- rows: scope text, end_failures integer
with due as (
  select discord_token.discord_user_id
  from discord_token
  where
    ($5::text is null or discord_token.discord_user_id = $5)
    and (
      discord_token.leased_until is null
      or discord_token.leased_until <= $4
      or discord_token.leased_until > $4::timestamptz + interval '15 minutes'
    )
    and (
      (
        (discord_token.end_due_at <= $4 or discord_token.end_due_at > $4::timestamptz + interval '2 hours')
        and discord_token.end_reason in ('moved', 'unlinked')
      )
      or (
        (
          (
            discord_token.end_reason is null
            and (discord_token.obtained_at < $2 or discord_token.obtained_at > $4::timestamptz + interval '1 hour')
          )
          or discord_token.end_due_at <= $4
          or discord_token.end_due_at > $4::timestamptz + interval '2 hours'
        )
        and not exists (select from link where link.discord_user_id = discord_token.discord_user_id)
        and not exists (select from flow where flow.discord_user_id = discord_token.discord_user_id)
        and not exists (select from session where session.discord_user_id = discord_token.discord_user_id)
      )
    )
  order by discord_token.obtained_at
  limit $1
  for update skip locked
)

update discord_token
set
  end_reason = coalesce(discord_token.end_reason, 'abandoned'),
  end_due_at = coalesce(discord_token.end_due_at, $4),
  end_failures = case when discord_token.end_reason is null then 0 else discord_token.end_failures end,
  leased_until = $3
from due
where discord_token.discord_user_id = due.discord_user_id
returning
  discord_token.discord_user_id,
  discord_token.access_token_sealed,
  discord_token.refresh_token_sealed,
  discord_token.expires_at,
  discord_token.scope,
  discord_token.end_failures
