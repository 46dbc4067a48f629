-- Does what a logout token says: the member's login sessions that began before it end, those at the page of administrators
-- too, and their claims are due now. Their link stays. A logout token that has come before does nothing. There is a row for
-- each member who is linked, and one without a member if nobody is.
-- rows: is_repeated boolean, discord_user_id text
with given as not materialized (
  select
    $1::text as event_id,
    $2::timestamptz as expires_at, -- a repeat after this is refused as too old
    $3::text as issuer,
    $4::text as subject, -- null if the token names only a session of the provider
    $5::text as provider_session_id, -- null if it names none
    $6::timestamptz as began_until, -- a session that began later is of after the logout
    $7::text as request_id, -- null in upkeep
    $8::timestamptz as now
),

-- Before every other lock: a request that waits for its own repeat holds nothing.
seen as (
  insert into received_event (source, event_id, expires_at)
  select 'logout', given.event_id, given.expires_at
  from given
  on conflict (source, event_id) do nothing
  returning event_id
),

named as (
  select given.issuer, given.subject
  from seen
  cross join given
  where given.subject is not null
  union
  select organisation_token.issuer, organisation_token.subject
  from seen
  cross join given
  inner join organisation_token
    on given.issuer = organisation_token.issuer and given.provider_session_id = organisation_token.provider_session_id
  where given.subject is null
),

locked_token as (
  select organisation_token.issuer, organisation_token.subject
  from named
  inner join organisation_token on named.issuer = organisation_token.issuer and named.subject = organisation_token.subject
  order by organisation_token.issuer, organisation_token.subject
  for no key update of organisation_token
),

logged_out as (
  update organisation_token
  set
    logged_out_at = given.now,
    -- A provider may also end the refresh token first, and a check may meet that before the logout comes.
    end_cause = case
      when organisation_token.end_cause in ('invalid_grant', 'invalid_request')
        and organisation_token.ended_at > given.now - interval '10 minutes'
        then 'logged_out'
      else organisation_token.end_cause
    end
  from given, locked_token
  where organisation_token.issuer = locked_token.issuer and organisation_token.subject = locked_token.subject
),

locked_link as (
  select link.discord_user_id, link.issuer, link.subject
  from named
  inner join link on named.issuer = link.issuer and named.subject = link.subject
  where (select count(*) from locked_token) >= 0
  order by link.discord_user_id
  for no key update of link
),

due as (
  update link
  set check_due_at = least(link.check_due_at, given.now)
  from given, locked_link
  where link.discord_user_id = locked_link.discord_user_id
),

locked_session as (
  select session.session_id_hash
  from given
  cross join locked_link
  inner join session on locked_link.discord_user_id = session.discord_user_id
  where session.created_at <= given.began_until and (select count(*) from locked_link) >= 0
  order by session.session_id_hash
  for update of session
),

signed_out as (
  delete from session
  using locked_session
  where session.session_id_hash = locked_session.session_id_hash
),

locked_admin_session as (
  select admin_session.session_id_hash
  from seen
  cross join given
  inner join admin_session
    on given.issuer = admin_session.issuer
    and (
      given.subject = admin_session.subject
      or (given.subject is null and given.provider_session_id = admin_session.provider_session_id)
    )
  where admin_session.signed_in_at <= given.began_until and (select count(*) from locked_session) >= 0
  order by admin_session.session_id_hash
  for update of admin_session
),

admin_signed_out as (
  delete from admin_session
  using locked_admin_session
  where admin_session.session_id_hash = locked_admin_session.session_id_hash
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
  select
    given.now,
    'provider_logout',
    locked_link.discord_user_id,
    locked_link.issuer,
    locked_link.subject,
    given.request_id,
    jsonb_build_object('source', 'logout')
  from given
  cross join locked_link
)

select
  not exists (select from seen) as is_repeated,
  locked_link.discord_user_id
from given
left join locked_link on true
