-- A hash of a session's key, so that a statement can ask for the session of an id and a key together: an id alone finds
-- nothing, and ends nothing. And when its tokens were last refreshed, so that a new token which Discord refuses is not
-- answered by another refresh.
-- Lock: access exclusive on session, for the time that a column without a default, or a check that existing rows are
-- not held to, takes. The previous release runs on it: it neither reads nor writes the new columns, and a session that
-- it begins is proved by its tokens alone until it is used.

-- Null where an earlier release began the session. decision 0024
alter table session add column session_key_hash text;
alter table session add constraint session_session_key_hash_check
check (session_key_hash ~ '^[0-9a-f]{64}$') not valid;
alter table session add column refreshed_at timestamptz;
