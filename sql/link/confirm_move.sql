-- Takes the flow whose move the member confirmed, links its two accounts in place of the links that either had, and
-- signs the member in.
-- A Discord account that loses its link also loses its role connection, its grant and its sessions, whose tokens end
-- with the grant. That end is due now.
-- No row comes back if the flow does not exist, if the grant is to end, if a ban has come, or if either account was linked after the
-- question was asked: the member did not confirm that. A session of the same flow has the same id and is replaced.
-- row: flow_id_hash text, discord_user_id text, username text, global_name text, access_token_sealed text,
-- row: discord_expires_at timestamptz, session_expires_at timestamptz, issuer text, subject text,
-- row: claims jsonb, sources jsonb, ended_discord_user_id text, gone_at timestamptz
with given as not materialized (
  select
    $1::text as flow_id_hash,
    $2::timestamptz as push_leased_until,
    $3::text as request_id,
    $4::timestamptz as now,
    $5::text as session_id_hash,
    $6::text as session_handle,
    $7::text as user_agent, -- null if it says nothing useful
    $8::timestamptz as session_expires_at, -- the session ends with its token if that expires sooner
    $9::text as replaced_session_id_hashes, -- null if the browser had none; separated by commas
    $10::text as session_key_hash,
    $11::text as replaced_session_key_hashes, -- null if the browser had none: one for each of its keys with each of its ids
    $12::timestamptz as check_due_at,
    $13::text as scim_attribute -- null where no SCIM client provisions users
),

asked as (
  select flow.discord_user_id, flow.issuer, flow.subject
  from given
  inner join flow on given.flow_id_hash = flow.flow_id_hash
),

-- From here on no ban is stored until the link is. docs/decisions/0050
barred as (
  select
    meets_ban(asked.discord_user_id, asked.issuer, asked.subject, given.now)
    or meets_ban(
      null, asked.issuer || '#preferred_username', organisation_account.claims ->> 'preferred_username', given.now
    ) as is_banned
  from given
  cross join asked
  left join organisation_account
    on asked.issuer = organisation_account.issuer and asked.subject = organisation_account.subject
),

-- Locks every row that goes or changes, in the order of docs/decisions/0028. Each step counts the rows of the one before,
-- which makes it wait. The tokens are those of the account that gets the link and of the one that may lose it.
locked_account as (
  select discord_account.discord_user_id
  from asked
  inner join discord_account on asked.discord_user_id = discord_account.discord_user_id
  where (select count(*) from barred where not barred.is_banned) > 0
  for key share of discord_account
),

locked_tokens as (
  select discord_token.discord_user_id, discord_token.end_reason
  from locked_account
  cross join (
    select asked.discord_user_id
    from asked
    union
    select link.discord_user_id
    from asked
    inner join link on asked.issuer = link.issuer and asked.subject = link.subject
  ) as party
  inner join discord_token on party.discord_user_id = discord_token.discord_user_id
  where (select count(*) from locked_account) >= 0
  order by discord_token.discord_user_id
  for no key update of discord_token
),

taken as (
  delete from flow
  using given, locked_tokens
  where
    flow.flow_id_hash = given.flow_id_hash
    and flow.issuer is not null
    and flow.expires_at > given.now
    and locked_tokens.discord_user_id = flow.discord_user_id
    and locked_tokens.end_reason is null
    and (select count(*) from locked_tokens) >= 0
    and not exists (
      select from link
      where
        link.linked_at > flow.created_at
        and (
          link.discord_user_id = flow.discord_user_id
          or (link.issuer = flow.issuer and link.subject = flow.subject)
        )
    )
  returning flow.discord_user_id, flow.issuer, flow.subject, flow.session_access_token_sealed
),

locked_organisation_account as (
  select organisation_account.issuer
  from taken
  inner join organisation_account
    on taken.issuer = organisation_account.issuer and taken.subject = organisation_account.subject
  where (select count(*) from taken) >= 0
  for key share of organisation_account
),

locked_links as (
  select link.discord_user_id
  from locked_organisation_account
  cross join taken
  inner join link
    on
      taken.discord_user_id = link.discord_user_id
      or (taken.issuer = link.issuer and taken.subject = link.subject)
  where (select count(*) from locked_organisation_account) >= 0
  order by link.discord_user_id
  for update of link
),

replaced as (
  delete from link
  using locked_links
  where link.discord_user_id = locked_links.discord_user_id and (select count(*) from locked_links) >= 0
  returning link.discord_user_id, link.issuer, link.subject, link.push_leased_until
),

-- Waits for a push that may be running: it would bring back the role connection that the end clears.
ended as (
  update discord_token
  set
    end_reason = 'moved',
    end_failures = 0,
    end_due_at = greatest(given.now, replaced.push_leased_until)
  from given, replaced, taken
  where
    discord_token.discord_user_id = replaced.discord_user_id
    and replaced.discord_user_id <> taken.discord_user_id
  returning discord_token.discord_user_id
),

-- While a SCIM client says that the membership has ended, a move does not change that.
heard as (
  select
    is_scim_user_inactive(
      given.scim_attribute, coalesce(organisation_account.scim_subject, organisation_account.subject)
    ) as is_gone
  from given
  cross join taken
  inner join organisation_account
    on taken.issuer = organisation_account.issuer and taken.subject = organisation_account.subject
),

-- Waits for the deletion, so that the unique keys are free.
linked as (
  insert into link (
    discord_user_id, issuer, subject, linked_at, push_due_at, push_leased_until, check_due_at, gone_at, gone_source
  )
  select
    taken.discord_user_id,
    taken.issuer,
    taken.subject,
    given.now,
    push_due_beside(
      (select replaced.push_leased_until from replaced where replaced.discord_user_id = taken.discord_user_id),
      given.push_leased_until,
      given.now
    ),
    given.push_leased_until,
    given.check_due_at,
    case when heard.is_gone then given.now end,
    case when heard.is_gone then 'scim' end
  from given
  cross join taken
  cross join heard
  where (select count(*) from replaced) >= 0
  returning discord_user_id, gone_at
),

signed_in as (
  select
    begin_session(
      session_id_hash => given.session_id_hash,
      session_key_hash => given.session_key_hash,
      session_handle => given.session_handle,
      discord_user_id => taken.discord_user_id,
      access_token_sealed => taken.session_access_token_sealed,
      refresh_token_sealed => null,
      token_expires_at => discord_token.expires_at,
      user_agent => given.user_agent,
      expires_at => least(given.session_expires_at, discord_token.expires_at),
      now => given.now,
      replaced_session_id_hashes => given.replaced_session_id_hashes,
      replaced_session_key_hashes => given.replaced_session_key_hashes,
      ended_discord_user_id => (select ended.discord_user_id from ended)
    ) as expires_at
  from given
  cross join taken
  inner join discord_token on taken.discord_user_id = discord_token.discord_user_id
  where (select count(*) from linked) >= 0
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
  select given.now, 'link_replaced', replaced.discord_user_id, replaced.issuer, replaced.subject, given.request_id
  from given
  cross join replaced
  union all
  select given.now, 'link_moved', taken.discord_user_id, taken.issuer, taken.subject, given.request_id
  from given
  cross join taken
)

select
  given.flow_id_hash,
  taken.discord_user_id,
  discord_account.username,
  discord_account.global_name,
  discord_token.access_token_sealed,
  discord_token.expires_at as discord_expires_at,
  signed_in.expires_at as session_expires_at,
  taken.issuer,
  taken.subject,
  organisation_account.claims,
  organisation_account.sources,
  ended.discord_user_id as ended_discord_user_id,
  linked.gone_at
from given
cross join taken
inner join discord_account on taken.discord_user_id = discord_account.discord_user_id
inner join discord_token on taken.discord_user_id = discord_token.discord_user_id
inner join organisation_account
  on taken.issuer = organisation_account.issuer and taken.subject = organisation_account.subject
left join linked on true
left join signed_in on true
left join ended on true
