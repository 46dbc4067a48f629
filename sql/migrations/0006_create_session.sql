-- A member's login session: who, until when, and the tokens of that sign-in, sealed with a key that only the member's
-- cookie holds. No key of the operator's opens them.
-- Lock: none on the new table; access exclusive on flow for as long as adding a column without a default takes.
-- The previous release runs on it: its flows make no session, and an account that it removes takes its sessions along.

create table session (
  -- SHA-256 of the id, which only the cookie holds.
  session_id_hash text not null,
  -- What the session is called in a list; it opens nothing.
  session_handle text not null,
  discord_user_id text not null,
  access_token_sealed text not null,
  -- Absent where the refresh token belongs to a link: refresh tokens are single use.
  refresh_token_sealed text,
  token_expires_at timestamptz not null,
  -- Browser and system in words, never the whole header.
  user_agent text,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  -- Set while one process refreshes.
  leased_until timestamptz,
  constraint session_pkey primary key (session_id_hash),
  constraint session_session_handle_key unique (session_handle),
  constraint session_session_id_hash_check check (session_id_hash ~ '^[0-9a-f]{64}$'),
  constraint session_discord_user_id_fkey foreign key (discord_user_id)
    references discord_account (discord_user_id) on delete cascade
);

create index session_discord_user_id_idx on session (discord_user_id);
create index session_expires_at_idx on session (expires_at);
create index session_last_used_at_idx on session (last_used_at);

-- What the session at the end of the flow will hold, sealed by the Discord leg, which alone sees the token.
alter table flow add column session_access_token_sealed text;
