-- What commands for operators read: the state of a link, which the status counts and a list of links shows, and the trail
-- by the time of its events.
-- PostgreSQL writes the function into the statements that use it, so it costs nothing.
-- Lock: share on audit_event for its new index, which takes a second for five million rows.
-- The previous release runs on it: it knows neither the function nor the index.

-- The state of a link, which is in one at a time. losing: about to lose something, or the brake holds it.
create function link_state(
  cleared_at timestamptz,
  loss_found_at timestamptz,
  disconnected_at timestamptz,
  pushed_at timestamptz,
  push_due_at timestamptz
) returns text language sql immutable as $$
  select
    case
      when cleared_at is not null then 'cleared'
      when loss_found_at is not null then 'losing'
      when disconnected_at is not null then 'disconnected'
      when pushed_at is null or push_due_at is not null then 'waiting'
      else 'told'
    end
$$;

-- Events are stored nearly in the order of their times, so it is a few pages, and a new event hardly writes to it.
-- Migrations run in a transaction.
-- squawk-ignore require-concurrent-index-creation
create index audit_event_occurred_at_idx on audit_event using brin (occurred_at);
