-- Keeps tokens that no row of an account can hold: it is not known yet whose they are, or that member has other tokens.
-- $1 stray_token_id text: a row that has it already stays as it is
-- $2 discord_user_id text, null where it is not known, and for the provider's
-- $3 issuer text, null for Discord's
-- $4 access_token_sealed text
-- $5 refresh_token_sealed text, null where the server gave none
-- $6 scope text, null where the server did not say
-- $7 expires_at timestamptz, null where the server did not say
-- $8 now timestamptz
-- nothing
insert into stray_token (
  stray_token_id,
  discord_user_id,
  issuer,
  access_token_sealed,
  refresh_token_sealed,
  scope,
  expires_at,
  obtained_at,
  due_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
on conflict (stray_token_id) do nothing
