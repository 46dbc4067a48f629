-- Finds in the trail what was done about an account at the provider alone, as a ban of it: the member sees it on their page.
-- Lock: share on audit_event for its new index, which takes a second for five million rows and has few of them.
-- The previous release runs on it: it does not know the index.

-- Migrations run in a transaction.
-- squawk-ignore require-concurrent-index-creation
create index audit_event_account_idx on audit_event (issuer, subject)
where discord_user_id is null and issuer is not null;
