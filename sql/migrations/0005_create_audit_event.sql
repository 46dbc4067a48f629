-- The audit trail: what happened to whose link, and when. Rows are added and never changed: it must still tell the
-- truth after a mistake, so the database itself refuses to alter it, and no foreign key ties a row to what is gone.
-- Lock: none, the table is new. The previous release runs on it.

create table audit_event (
  audit_event_id bigint generated always as identity,
  occurred_at timestamptz not null,
  action text not null,
  discord_user_id text,
  issuer text,
  subject text,
  request_id text,
  constraint audit_event_pkey primary key (audit_event_id),
  constraint audit_event_action_check check (
    action in (
      'discord_authorized',
      'linked',
      'relinked',
      'conflict_met',
      'link_moved',
      'link_replaced',
      'role_connection_pushed',
      'push_failed',
      'grant_ended'
    )
  )
);

create index audit_event_discord_user_id_idx on audit_event (discord_user_id, occurred_at);

create function refuse_audit_event_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit_event is append-only' using errcode = 'restrict_violation';
end
$$;

create trigger audit_event_append_only_row before update or delete on audit_event
for each row execute function refuse_audit_event_change();

create trigger audit_event_append_only_table before truncate on audit_event
for each statement execute function refuse_audit_event_change();
