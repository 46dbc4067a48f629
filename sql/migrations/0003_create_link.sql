-- A link: one Discord account, one organisation account, each in at most one link.
-- Lock: none, the table is new. The previous release runs on it.

create table link (
  discord_user_id text not null,
  issuer text not null,
  subject text not null,
  linked_at timestamptz not null,
  -- What Discord last took from us, and when.
  pushed_metadata jsonb,
  pushed_at timestamptz,
  -- When the role connection is to be pushed next; absent when nothing is due.
  push_due_at timestamptz,
  push_failures integer not null default 0,
  constraint link_pkey primary key (discord_user_id),
  constraint link_issuer_subject_key unique (issuer, subject),
  -- A link cannot lose its tokens by accident: who deletes them must delete the link first.
  constraint link_discord_user_id_fkey foreign key (discord_user_id)
    references discord_token (discord_user_id),
  constraint link_issuer_subject_fkey foreign key (issuer, subject)
    references organisation_account (issuer, subject),
  constraint link_pushed_check check ((pushed_metadata is null) = (pushed_at is null)),
  constraint link_push_failures_check check (push_failures >= 0)
);

create index link_push_due_at_idx on link (push_due_at) where push_due_at is not null;
