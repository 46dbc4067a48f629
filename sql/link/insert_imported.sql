-- Links members as an earlier service had linked them: all of a list whom nothing hinders. Says of each what became of them:
-- imported; or already (they have this link), banned (one of the accounts is), discord_linked (the Discord account has
-- another link), account_linked (the account at the provider has another link), undone (they were imported once, and the
-- link was undone since), or in_use (one of the accounts is signing in, or an earlier grant of it has not ended). Whoever is
-- not imported is left as they are.
-- Each link is due for a check and a push. A member without tokens gets a grant that is over, until they sign in at Discord.
-- A list has each Discord account once, and each account at the provider once. If a sign-in or another import links one of
-- them in the same moment, the statement fails by a unique key, and nothing is imported: it can be sent again.
-- rows: place integer, outcome text
with given as not materialized (
  select
    $1::jsonb as members, -- a list of objects with the names of the columns of listed, below
    $2::text as issuer, -- the provider's
    $3::text as operator,
    $4::text as source, -- for the trail: from what the links came
    $5::boolean as is_dry_run, -- whether it only says what it would do
    $6::timestamptz as now
),

member as (
  select
    listed.place,
    listed.discord_user_id,
    listed.username,
    listed.issuer,
    listed.subject,
    listed.preferred_username,
    listed.scim_subject,
    listed.claims,
    listed.access_token,
    listed.refresh_token,
    listed.expires_at,
    listed.obtained_at,
    listed.has_tokens
  from given
  cross join jsonb_to_recordset(given.members) as listed (
    place integer,
    discord_user_id text,
    username text,
    issuer text,
    subject text,
    preferred_username text,
    scim_subject text,
    claims jsonb,
    access_token text,
    refresh_token text,
    expires_at timestamptz,
    obtained_at timestamptz,
    has_tokens boolean
  )
),

-- Accounts with a subject that have one of the usernames: members who have signed in since, with whatever Discord account.
named as (
  select link.discord_user_id, member.place
  from given
  cross join member
  inner join organisation_account
    on
      given.issuer = organisation_account.issuer
      and member.preferred_username = organisation_account.claims ->> 'preferred_username'
  inner join link
    on organisation_account.issuer = link.issuer and organisation_account.subject = link.subject
),

-- What hinders a member stands here alone, in the order of what says most.
decided as (
  select
    member.place,
    member.discord_user_id,
    case
      when held.issuer = member.issuer and held.subject = member.subject then 'already'
      when held.discord_user_id is not null and exists (
        select from named
        where named.place = member.place and named.discord_user_id = member.discord_user_id
      ) then 'already'
      -- From here on no ban is stored until the links are. docs/decisions/0050
      when meets_ban(member.discord_user_id, member.issuer, member.subject, given.now) then 'banned'
      when held.discord_user_id is not null then 'discord_linked'
      when exists (
        select from link
        where link.issuer = member.issuer and link.subject = member.subject
      ) or exists (select from named where named.place = member.place) then 'account_linked'
      when exists (
        select from audit_event
        where audit_event.discord_user_id = member.discord_user_id and audit_event.action = 'imported'
      ) then 'undone'
      when exists (
        select from discord_token
        where discord_token.discord_user_id = member.discord_user_id
      ) or exists (
        select from organisation_token
        where organisation_token.issuer = member.issuer and organisation_token.subject = member.subject
      ) then 'in_use'
      else 'imported'
    end as outcome
  from given
  cross join member
  left join link as held on member.discord_user_id = held.discord_user_id
),

-- From here on each step counts the rows of the one before, which makes it wait. So the statement locks rows in the order
-- of docs/decisions/0028, and in a table by the primary key.
chosen as (
  select member.place
  from given
  cross join decided
  inner join member on decided.place = member.place
  where decided.outcome = 'imported' and not given.is_dry_run
),

known_account as (
  select discord_account.discord_user_id
  from chosen
  inner join member on chosen.place = member.place
  inner join discord_account on member.discord_user_id = discord_account.discord_user_id
  order by discord_account.discord_user_id
  for key share of discord_account
),

account as (
  insert into discord_account (discord_user_id, username, global_name, created_at, updated_at)
  select member.discord_user_id, member.username, null, given.now, given.now
  from given
  cross join chosen
  inner join member on chosen.place = member.place
  where (select count(*) from known_account) >= 0
  order by member.discord_user_id
  on conflict (discord_user_id) do nothing
  returning discord_user_id
),

token as (
  insert into discord_token (
    discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at, ended_at, end_cause
  )
  select
    member.discord_user_id,
    member.access_token,
    member.refresh_token,
    'identify role_connections.write',
    member.expires_at,
    member.obtained_at,
    -- As with an answer that was lost: the grant may live on at Discord, with tokens that Janus does not have.
    case when not member.has_tokens then given.now end,
    case when not member.has_tokens then 'unanswered' end
  from given
  cross join chosen
  inner join member on chosen.place = member.place
  where (select count(*) from account) >= 0
  order by member.discord_user_id
  returning discord_user_id
),

organisation as (
  insert into organisation_account (issuer, subject, claims, claims_seen_at, created_at, scim_subject)
  select member.issuer, member.subject, member.claims, given.now, given.now, member.scim_subject
  from given
  cross join chosen
  inner join member on chosen.place = member.place
  where (select count(*) from token) >= 0
  order by member.issuer, member.subject
  on conflict (issuer, subject) do update
    set
      claims = excluded.claims,
      claims_seen_at = excluded.claims_seen_at,
      scim_subject = excluded.scim_subject
  returning issuer
),

linked as (
  insert into link (discord_user_id, issuer, subject, linked_at, imported_at, push_due_at, check_due_at)
  select
    member.discord_user_id,
    member.issuer,
    member.subject,
    given.now,
    given.now,
    case when member.has_tokens then given.now end,
    given.now
  from given
  cross join chosen
  inner join member on chosen.place = member.place
  where (select count(*) from organisation) >= 0
  order by member.discord_user_id
  returning discord_user_id, issuer, subject
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, operator, detail)
  select
    given.now, 'imported', linked.discord_user_id, linked.issuer, linked.subject, given.operator,
    jsonb_build_object('source', given.source)
  from given
  cross join linked
)

select
  decided.place,
  decided.outcome
from decided
where (select count(*) from linked) >= 0
order by decided.place
