-- A member's account at the organisation's OpenID Provider, keyed by issuer and subject, the only two claims that
-- never change (OpenID Connect Core 5.7), with the claims last seen and the tokens of the last sign-in.
-- Lock: none, the tables are new. The previous release runs on it.

create table organisation_account (
  issuer text not null,
  subject text not null,
  claims jsonb not null,
  claims_seen_at timestamptz not null,
  created_at timestamptz not null,
  constraint organisation_account_pkey primary key (issuer, subject),
  -- OpenID Connect Core 2: at most 255 ASCII characters, compared exactly.
  constraint organisation_account_subject_check check (subject ~ '^[ -~]{1,255}$'),
  constraint organisation_account_claims_check check (jsonb_typeof(claims) = 'object')
);

create index organisation_account_claims_seen_at_idx on organisation_account (claims_seen_at);

create table organisation_token (
  issuer text not null,
  subject text not null,
  access_token_sealed text not null,
  -- Absent where the provider gave none.
  refresh_token_sealed text,
  -- Absent where the provider did not say.
  expires_at timestamptz,
  obtained_at timestamptz not null,
  constraint organisation_token_pkey primary key (issuer, subject),
  constraint organisation_token_issuer_subject_fkey foreign key (issuer, subject)
    references organisation_account (issuer, subject) on delete cascade
);
