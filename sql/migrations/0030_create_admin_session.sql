-- Sign-ins to the page of administrators: who, since when, and what the provider said of them then, sealed with a key that
-- only the administrator's cookie holds.
-- Lock: none on other tables.
-- The previous release runs on it: it has no page of administrators, and reads nothing of this.

create table admin_session (
  -- SHA-256 of the id, which only the cookie holds.
  session_id_hash text not null,
  issuer text not null,
  subject text not null,
  -- The provider's session, which a logout token may name; null where the provider does not say.
  provider_session_id text,
  -- The name and the claims that the rule reads.
  facts_sealed text not null,
  signed_in_at timestamptz not null,
  expires_at timestamptz not null,
  constraint admin_session_pkey primary key (session_id_hash),
  constraint admin_session_session_id_hash_check check (session_id_hash ~ '^[0-9a-f]{64}$'),
  constraint admin_session_expires_at_check check (expires_at > signed_in_at)
);

create index admin_session_issuer_subject_idx on admin_session (issuer, subject);
create index admin_session_expires_at_idx on admin_session (expires_at);
