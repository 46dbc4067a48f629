-- A member's Discord account, and the tokens of the grant that Janus holds for it.
-- Lock: none, the tables are new. The previous release runs on it: there is none.

create table discord_account (
  discord_user_id text not null,
  username text not null,
  global_name text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint discord_account_pkey primary key (discord_user_id),
  -- Discord's ids are snowflakes: they are joined into addresses.
  constraint discord_account_discord_user_id_check check (discord_user_id ~ '^[0-9]{1,20}$')
);

create table discord_token (
  discord_user_id text not null,
  access_token_sealed text not null,
  refresh_token_sealed text not null,
  scope text not null,
  expires_at timestamptz not null,
  obtained_at timestamptz not null,
  -- Set while one process refreshes or ends the grant; refresh tokens are single use.
  leased_until timestamptz,
  -- Why the grant is to end at Discord, and when that is tried next.
  end_reason text,
  end_due_at timestamptz,
  constraint discord_token_pkey primary key (discord_user_id),
  constraint discord_token_discord_user_id_fkey foreign key (discord_user_id)
    references discord_account (discord_user_id) on delete cascade,
  constraint discord_token_end_reason_check check (end_reason in ('abandoned', 'moved')),
  constraint discord_token_end_check check ((end_reason is null) = (end_due_at is null))
);

-- The sweep looks for grants that are to end, and for old ones that no link needs.
create index discord_token_end_due_at_idx on discord_token (end_due_at) where end_due_at is not null;
create index discord_token_obtained_at_idx on discord_token (obtained_at);
