-- Why the last push of a link failed, as check_failed_code says of its check: administrators see failures by their code.
-- Lock: access exclusive on link, for the time that a column without a default takes.
-- The previous release runs on it: it counts failures without a code, and leaves the code of an earlier failure. So a code
-- says something only while push_failures is above nought.

-- The code of the error; null where no push failed, or where the previous release counted it.
alter table link add column push_failed_code text;
