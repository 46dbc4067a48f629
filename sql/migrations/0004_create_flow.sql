-- A flow under way: left by the Discord leg, taken by the provider leg, so that a replayed callback finds nothing.
-- A flow that met a conflict is left again, with the organisation account, until the member confirms the move.
-- Lock: none, the table is new. The previous release runs on it.

create table flow (
  -- SHA-256 of an id that only the browser's sealed cookie holds.
  flow_id_hash text not null,
  discord_user_id text not null,
  issuer text,
  subject text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  constraint flow_pkey primary key (flow_id_hash),
  constraint flow_flow_id_hash_check check (flow_id_hash ~ '^[0-9a-f]{64}$'),
  constraint flow_discord_user_id_fkey foreign key (discord_user_id)
    references discord_account (discord_user_id) on delete cascade,
  constraint flow_issuer_subject_fkey foreign key (issuer, subject)
    references organisation_account (issuer, subject) on delete cascade,
  constraint flow_organisation_account_check check ((issuer is null) = (subject is null))
);

create index flow_discord_user_id_idx on flow (discord_user_id);
create index flow_issuer_subject_idx on flow (issuer, subject);
create index flow_created_at_idx on flow (created_at);
