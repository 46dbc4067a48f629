-- What Janus obtains it stores or revokes, and what it cannot undo it remembers: refreshes whose answer never came,
-- tokens that a later sign-in replaces, tokens of a flow that failed, and role connections that no token can clear.
-- Lock: access exclusive on discord_token and organisation_token, for the time that a column with a constant default, or
-- a check that existing rows are not held to, takes; share on discord_token for its new indexes, which take a second for
-- a million rows. The previous release runs on it: it neither reads nor writes what is new.

-- Since when a refresh was sent whose answer never came: the refresh token may be spent.
alter table discord_token add column refresh_unanswered_since timestamptz;
-- How often refreshing before the tokens expire has failed, and when it is tried next.
alter table discord_token add column refresh_failures integer not null default 0;
alter table discord_token add constraint discord_token_refresh_failures_check check (refresh_failures >= 0) not valid;
alter table discord_token add column refresh_retry_at timestamptz;

-- Migrations run in a transaction, and a table of one row a member is indexed in a moment.
-- squawk-ignore require-concurrent-index-creation
create index discord_token_expires_at_idx on discord_token (expires_at);
-- Upkeep looks for what is to be cleared, which is next to nothing, every half minute.
-- squawk-ignore require-concurrent-index-creation
create index discord_token_clear_due_at_idx on discord_token (clear_due_at) where clear_due_at is not null;

-- A list of {"kind": "access_token" or "refresh_token", "sealed": text}, the oldest first: tokens that a later sign-in
-- replaced. They live on at the provider, and are revoked together with the grant.
alter table organisation_token add column replaced_tokens jsonb not null default '[]';
alter table organisation_token add constraint organisation_token_replaced_tokens_check
check (jsonb_typeof(replaced_tokens) = 'array') not valid;
-- The one that the last sign-in has pushed out of a full list; the same statement moves it to stray_token.
alter table organisation_token add column crowded_out_token jsonb;

-- Tokens that no row of an account holds. They are revoked as soon as that takes nothing from a member.
create table stray_token (
  stray_token_id text not null,
  -- Whose tokens these are, as far as it is known: a Discord account, or an account at an issuer.
  discord_user_id text,
  issuer text,
  subject text,
  access_token_sealed text,
  refresh_token_sealed text,
  scope text,
  -- Absent where the provider did not say.
  expires_at timestamptz,
  obtained_at timestamptz not null,
  -- When they are to be looked at next; later while a process does so.
  due_at timestamptz not null,
  failures integer not null default 0,
  -- Since when a refresh was sent whose answer never came, as in discord_token.
  refresh_unanswered_since timestamptz,
  constraint stray_token_pkey primary key (stray_token_id),
  -- Without an issuer they are Discord's.
  constraint stray_token_owner_check check (issuer is null or discord_user_id is null),
  constraint stray_token_subject_check check (subject is null or issuer is not null),
  constraint stray_token_token_check check (access_token_sealed is not null or refresh_token_sealed is not null),
  constraint stray_token_failures_check check (failures >= 0)
);

create index stray_token_due_at_idx on stray_token (due_at);

-- Role connections that Discord may still have, and that Janus has no token to clear. A later sign-in of the member
-- clears them. The account itself may be gone, so no foreign key.
create table role_connection_left (
  discord_user_id text not null,
  left_at timestamptz not null,
  constraint role_connection_left_pkey primary key (discord_user_id),
  constraint role_connection_left_discord_user_id_check check (discord_user_id ~ '^[0-9]{1,20}$')
);
