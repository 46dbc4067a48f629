-- Mends the trigger that keeps the lease of a push for sign-ins and pushes of the previous release. It took a statement that
-- names push_due_at and leaves it as it is for the record of a push. So a check that was recorded while a loss was being
-- told ended the lease of that push, and what Discord had been told was not recorded.
-- Lock: share row exclusive on link, for the time that a trigger takes.
-- The previous release runs on it. Where it records a push, or claims one, it changes push_due_at.
drop trigger link_lease_push_update on link;
create trigger link_lease_push_update before update of push_due_at on link
for each row when (
  new.push_due_at is distinct from old.push_due_at and new.push_leased_until is not distinct from old.push_leased_until
)
execute function lease_push_of_previous_release();
