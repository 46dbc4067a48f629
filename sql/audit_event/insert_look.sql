-- Adds to the trail that an administrator looked at a list, or at one account.
-- $1 discord_user_id text, null for a list, and for an account at the provider alone
-- $2 issuer text, null for a list, and for an account at Discord alone
-- $3 subject text, null for a list, and for an account at Discord alone
-- $4 operator text
-- $5 detail jsonb
-- $6 now timestamptz
-- nothing
insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, operator, detail)
values ($6, 'looked_at', $1, $2, $3, $4, $5)
