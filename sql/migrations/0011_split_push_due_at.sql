-- Splits link.push_due_at into two: when the next push is due (null if none is), and until when a push that runs keeps
-- others from pushing. One column was due date, lease and receipt. So an unlink could not tell a running push from one
-- that had failed, and a push that became due while another ran undid the record of that one.
-- A claim sets both columns to the end of its lease: if its process dies, the push is due again then. A push that becomes
-- due in the meantime changes push_due_at alone. So when the push is recorded, push_due_at is cleared only if it is still
-- the end of the lease.
-- Lock: access exclusive on link, for the time that a column without a default, two triggers, and the update of the few
-- links that are pushed at this moment take.
-- The previous release runs on it. It knows push_due_at alone, so it does not claim what this release has claimed. For
-- what it writes itself, the triggers keep the new column right. If both releases push a link in the same minute, the
-- link may be pushed twice, which does no harm; a push that is due is never lost. A later migration drops the triggers.

alter table link add column push_leased_until timestamptz;

-- Pushes that the previous release has begun. No clock within the tolerance writes a lease that ends later: it lasts
-- seven minutes, and clocks differ by five. A failed push that is due again so soon looks the same, and is claimed when it
-- is due, as before.
update link
set push_leased_until = push_due_at
where push_due_at > now() and push_due_at <= now() + interval '12 minutes';

-- Called only where this release has not set the lease itself: calling it for each link would cost as much as the link.
create function lease_push_of_previous_release() returns trigger language plpgsql as $$
begin
  if new.push_due_at is null or new.push_failures > old.push_failures then
    -- The previous release has recorded a push.
    new.push_leased_until := null;
  elsif old.push_leased_until is null or new.push_due_at > old.push_leased_until then
    -- It has claimed one. If a push became due instead, in either release, this lease ends at once.
    new.push_leased_until := new.push_due_at;
  end if;
  return new;
end
$$;

create trigger link_lease_push_insert before insert on link
for each row when (new.push_leased_until is null and new.push_due_at is not null)
execute function lease_push_of_previous_release();

create trigger link_lease_push_update before update of push_due_at on link
for each row when (new.push_leased_until is not distinct from old.push_leased_until)
execute function lease_push_of_previous_release();
