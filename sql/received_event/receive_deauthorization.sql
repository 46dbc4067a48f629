-- Ends what a member has at Discord through Janus, since the member has removed Janus there: the grant is over and its
-- tokens are forgotten, nothing more is told to Discord, and sessions and flows of before end. The link stays. The tokens of
-- the provider are due to be revoked, unless somebody is about to move its account. What began after the event stays.
-- A grant that has ended by such an event stays as it is: then the outcome is repeated. It is ignored if nothing is meant.
-- row: discord_user_id text, outcome text
with given as not materialized (
  select
    $1::text as discord_user_id,
    $2::timestamptz as happened_at,
    $3::text as request_id, -- null if no request waits
    $4::timestamptz as now
),

asked as (
  select link.issuer, link.subject
  from given
  inner join link on given.discord_user_id = link.discord_user_id
),

-- Locks every row that goes or changes, in the order of docs/decisions/0028.
locked_token as (
  select
    discord_token.discord_user_id,
    discord_token.obtained_at <= given.happened_at as is_meant,
    discord_token.end_cause is not distinct from 'deauthorized' as is_over
  from given
  inner join discord_token on given.discord_user_id = discord_token.discord_user_id
  for no key update of discord_token
),

locked_flows as (
  select flow.flow_id_hash
  from given
  inner join flow on given.discord_user_id = flow.discord_user_id
  where flow.created_at <= given.happened_at and (select count(*) from locked_token) >= 0
  order by flow.flow_id_hash
  for update of flow
),

locked_organisation_token as (
  select organisation_token.issuer, organisation_token.subject
  from asked
  inner join organisation_token
    on asked.issuer = organisation_token.issuer and asked.subject = organisation_token.subject
  where
    exists (select from locked_token where locked_token.is_meant and not locked_token.is_over)
    and not exists (
      select from flow
      where flow.issuer = asked.issuer and flow.subject = asked.subject
    )
    and (select count(*) from locked_flows) >= 0
  for update of organisation_token
),

locked_link as (
  select link.discord_user_id, link.issuer, link.subject
  from given
  inner join link on given.discord_user_id = link.discord_user_id
  where (select count(*) from locked_organisation_token) >= 0
  for no key update of link
),

locked_sessions as (
  select session.session_id_hash
  from given
  inner join session on given.discord_user_id = session.discord_user_id
  where session.created_at <= given.happened_at and (select count(*) from locked_link) >= 0
  order by session.session_id_hash
  for update of session
),

ended as (
  update discord_token
  set
    access_token_sealed = '',
    refresh_token_sealed = '',
    -- By no clock do the tokens live any more.
    expires_at = discord_token.obtained_at,
    ended_at = coalesce(discord_token.ended_at, least(given.happened_at, given.now)),
    end_cause = 'deauthorized',
    leased_until = case when discord_token.end_reason is not null then discord_token.leased_until end,
    refresh_unanswered_since = null,
    refresh_failures = 0,
    refresh_refusals = 0,
    refresh_retry_at = null,
    clear_due_at = null
  from given, locked_token
  where
    discord_token.discord_user_id = locked_token.discord_user_id
    and locked_token.is_meant
    and not locked_token.is_over
    and (select count(*) from locked_sessions) >= 0
  returning discord_token.discord_user_id
),

stopped as (
  delete from flow
  using locked_flows
  where flow.flow_id_hash = locked_flows.flow_id_hash
),

quiet as (
  update link
  set
    push_due_at = null,
    push_failures = 0,
    push_failed_code = null,
    token_refused_at = null,
    drift_found_at = null,
    loss_found_at = null,
    loss_due_at = null
  from locked_link, ended
  where link.discord_user_id = locked_link.discord_user_id
),

forgotten as (
  delete from organisation_token
  using locked_organisation_token, locked_link
  where
    organisation_token.issuer = locked_organisation_token.issuer
    and organisation_token.subject = locked_organisation_token.subject
    and locked_link.issuer = locked_organisation_token.issuer
    and locked_link.subject = locked_organisation_token.subject
  returning
    organisation_token.issuer,
    organisation_token.subject,
    organisation_token.access_token_sealed,
    organisation_token.refresh_token_sealed,
    organisation_token.replaced_tokens
),

stray as (
  select
    forgotten.issuer,
    forgotten.subject,
    case when forgotten.refresh_token_sealed is null then 'access_token' else 'refresh_token' end as kind,
    coalesce(forgotten.refresh_token_sealed, forgotten.access_token_sealed) as sealed
  from forgotten
  union all
  select
    forgotten.issuer,
    forgotten.subject,
    replaced.token ->> 'kind',
    replaced.token ->> 'sealed'
  from forgotten
  cross join lateral jsonb_array_elements(forgotten.replaced_tokens) as replaced (token)
),

to_revoke as (
  insert into stray_token (
    stray_token_id, issuer, subject, access_token_sealed, refresh_token_sealed, obtained_at, due_at
  )
  select
    gen_random_uuid()::text,
    stray.issuer,
    stray.subject,
    case when stray.kind = 'access_token' then stray.sealed end,
    case when stray.kind = 'refresh_token' then stray.sealed end,
    given.now,
    given.now
  from given
  cross join stray
),

signed_out as (
  delete from session
  using locked_sessions
  where session.session_id_hash = locked_sessions.session_id_hash
  returning session.session_id_hash
),

decided as (
  select
    case
      when exists (select from ended) then 'deauthorized'
      when exists (select from locked_token where locked_token.is_meant) then 'repeated'
      when exists (select from locked_token) then 'ignored'
      when exists (select from signed_out) then 'deauthorized'
      else 'ignored'
    end as outcome
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id, detail)
  select
    given.now, 'deauthorized', given.discord_user_id, locked_link.issuer, locked_link.subject, given.request_id,
    jsonb_build_object('source', 'discord')
  from given
  cross join decided
  left join locked_link on true
  where decided.outcome = 'deauthorized'
)

select
  given.discord_user_id,
  decided.outcome
from given
cross join decided
