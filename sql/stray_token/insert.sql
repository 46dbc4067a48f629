-- Stores tokens that no account's row can hold: their owner is not known yet, or has other tokens.
-- $1 stray_token_id text: an existing row with this id stays as it is
-- $2 discord_user_id text, null if the owner is not known, and for tokens of the provider
-- $3 issuer text, null for tokens of Discord
-- $4 access_token_sealed text
-- $5 refresh_token_sealed text, null if the server gave none
-- $6 scope text, null if the server did not say
-- $7 expires_at timestamptz, null if the server did not say
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
