-- Stores a sign-in to the page of administrators. A callback that has come before finds its row, and stores nothing.
-- $1 session_id_hash text
-- $2 issuer text
-- $3 subject text
-- $4 provider_session_id text: null where the provider does not say
-- $5 facts_sealed text
-- $6 expires_at timestamptz
-- $7 now timestamptz
-- row: session_id_hash text
insert into admin_session (
  session_id_hash,
  issuer,
  subject,
  provider_session_id,
  facts_sealed,
  signed_in_at,
  expires_at
)
values ($1, $2, $3, $4, $5, $7, $6)
on conflict (session_id_hash) do nothing
returning session_id_hash
