-- Links that an operator has imported from an earlier service. What is known of such a member is what that service knew:
-- nobody has read their claims, so what the claims do not say is unknown. docs/decisions/0053
-- Lock: access exclusive on link, for the time that a column without a default takes.
-- The previous release runs on it: it does not know the column. If a member signs in with it, their link counts as imported
-- until their next sign-in, which takes nothing from them.

-- When the link was imported; null if the member has made it, or has signed in since.
alter table link add column imported_at timestamptz;
