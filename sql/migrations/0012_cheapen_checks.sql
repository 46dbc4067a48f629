-- Says six checks of text in a way that PostgreSQL tests quickly. It expands a regular expression that counts, such as
-- '{1,255}', into as many states: one subject took 92 microseconds, a fifth of the statement that makes a link, and one
-- hash 8. A length and a class of characters take 1 to 2. docs/decisions/0031
-- Each check allows the texts that it allowed before, so every row meets it.
-- Lock: access exclusive on one table after the other, for the time that a check takes that existing rows are not held
-- to. The previous release runs on it: it knows none of these checks.

alter table discord_account drop constraint discord_account_discord_user_id_check;
alter table discord_account add constraint discord_account_discord_user_id_check
check (length(discord_user_id) between 1 and 20 and discord_user_id !~ '[^0-9]') not valid;

alter table role_connection_left drop constraint role_connection_left_discord_user_id_check;
alter table role_connection_left add constraint role_connection_left_discord_user_id_check
check (length(discord_user_id) between 1 and 20 and discord_user_id !~ '[^0-9]') not valid;

-- OpenID Connect Core 2: at most 255 ASCII characters.
alter table organisation_account drop constraint organisation_account_subject_check;
alter table organisation_account add constraint organisation_account_subject_check
check (length(subject) between 1 and 255 and subject !~ '[^ -~]') not valid;

alter table flow drop constraint flow_flow_id_hash_check;
alter table flow add constraint flow_flow_id_hash_check
check (length(flow_id_hash) = 64 and flow_id_hash !~ '[^0-9a-f]') not valid;

alter table session drop constraint session_session_id_hash_check;
alter table session add constraint session_session_id_hash_check
check (length(session_id_hash) = 64 and session_id_hash !~ '[^0-9a-f]') not valid;

alter table session drop constraint session_session_key_hash_check;
alter table session add constraint session_session_key_hash_check
check (length(session_key_hash) = 64 and session_key_hash !~ '[^0-9a-f]') not valid;
