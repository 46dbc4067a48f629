-- Takes the flow that the Discord leg left, stores the organisation account with its tokens, links the two accounts,
-- and signs the member in. If either account is linked to a third one, no link changes: the flow is stored again under
-- a new id until the member confirms the move.
-- If one of the two accounts is banned, or the rules do not admit the member, nothing is linked or stored, the flow is
-- over, and the Discord grant ends soon, unless the member needs it for something else. A link of exactly these two
-- accounts stays: its next push decides. That of a banned member ends soon.
-- A link of this Discord account that was imported with the member's username gets the subject, and is then such a link. If
-- another sign-in has given it another subject in the same moment, no row comes back. docs/decisions/0053
-- No row comes back if the flow does not exist, or if the grant is to end, because that end would take the link's
-- tokens with it. If two legs of one flow arrive at the same moment, a question that is already stored stays, and the
-- later leg gets no row. A session of the same flow has the same id and is replaced.
-- row: flow_id_hash text, outcome text, discord_user_id text, username text, global_name text, access_token_sealed text,
-- row: discord_expires_at timestamptz, session_expires_at timestamptz, held_by_username text,
-- row: held_by_global_name text, is_held_by_organisation boolean, held_organisation_names jsonb, linked_at timestamptz,
-- row: pushed_metadata jsonb, pushed_platform_username text, cleared_at timestamptz, clear_cause text,
-- row: loss_found_at timestamptz, gone_at timestamptz
with given as not materialized (
  select
    $1::text as flow_id_hash,
    $2::text as issuer,
    $3::text as subject,
    $4::jsonb as claims,
    $5::text as access_token_sealed,
    $6::text as refresh_token_sealed, -- null if the provider gave none
    $7::timestamptz as expires_at, -- null if the provider did not say
    $8::timestamptz as push_leased_until,
    $9::text as move_id_hash, -- the new id of the flow in a conflict
    $10::timestamptz as move_expires_at,
    $11::text as request_id,
    $12::timestamptz as now,
    $13::text as session_id_hash,
    $14::text as session_handle,
    $15::text as user_agent, -- null if it says nothing useful
    $16::timestamptz as session_expires_at, -- the session ends with its token if that expires sooner
    $17::text as replaced_session_id_hashes, -- null if the browser had none; separated by commas
    $18::text as session_key_hash,
    $19::text as replaced_session_key_hashes, -- null if the browser had none: one for each of its keys with each of its ids
    $20::jsonb as sources,
    $21::boolean as is_admitted,
    $22::timestamptz as check_due_at,
    $23::text as scim_subject, -- null where that is the subject
    $24::text as scim_attribute, -- null where no SCIM client provisions users
    $25::text as provider_session_id, -- null if the ID Token has no sid
    $26::text as preferred_username -- null if the provider says none
),

-- From here on no ban is stored until the link is. A ban of a member who was imported by username knows no subject, so it
-- meets everybody who signs in with that username. docs/decisions/0050
barred as (
  select
    meets_ban(flow.discord_user_id, given.issuer, given.subject, given.now)
    or meets_ban(null, given.issuer || '#preferred_username', given.preferred_username, given.now) as is_banned
  from given
  inner join flow on given.flow_id_hash = flow.flow_id_hash
),

locked_account as (
  select discord_account.discord_user_id
  from given
  inner join flow on given.flow_id_hash = flow.flow_id_hash
  inner join discord_account on flow.discord_user_id = discord_account.discord_user_id
  where (select count(barred.is_banned) from barred) > 0
  for key share of discord_account
),

locked_token as (
  select discord_token.end_reason, discord_token.expires_at
  from locked_account
  inner join discord_token on locked_account.discord_user_id = discord_token.discord_user_id
  for no key update of discord_token
),

taken as (
  delete from flow
  using given, locked_token
  where
    flow.flow_id_hash = given.flow_id_hash
    and flow.issuer is null
    and flow.expires_at > given.now
    and locked_token.end_reason is null
  returning flow.discord_user_id, flow.session_access_token_sealed, locked_token.expires_at as token_expires_at
),

-- Only the Discord account that signs in decides which link the username may find, so a username alone takes nothing.
adoptable as (
  select link.discord_user_id, link.issuer, link.subject
  from given
  cross join taken
  inner join link
    on
      taken.discord_user_id = link.discord_user_id
      and given.issuer || '#preferred_username' = link.issuer
      and given.preferred_username = link.subject
),

other_discord as (
  select discord_account.username, discord_account.global_name
  from given
  cross join taken
  inner join link
    on given.issuer = link.issuer and given.subject = link.subject and taken.discord_user_id <> link.discord_user_id
  inner join discord_account on link.discord_user_id = discord_account.discord_user_id
),

other_organisation as (
  select
    taken.discord_user_id,
    -- Only the names, since the claims may be large.
    (
      select jsonb_build_object('preferred_username', claim.preferred_username, 'name', claim.name)
      from jsonb_to_record(organisation_account.claims) as claim (preferred_username jsonb, name jsonb)
    ) as organisation_names
  from given
  cross join taken
  inner join link
    on taken.discord_user_id = link.discord_user_id and (given.issuer <> link.issuer or given.subject <> link.subject)
  inner join organisation_account
    on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
),

decided as (
  select
    taken.discord_user_id,
    taken.session_access_token_sealed,
    taken.token_expires_at,
    case
      when barred.is_banned then 'banned'
      when
        exists (
          select from link
          where
            link.discord_user_id = taken.discord_user_id
            and link.issuer = given.issuer
            and link.subject = given.subject
        ) then 'relinked'
      when exists (select from adoptable) and not exists (select from other_discord) then 'relinked'
      when not given.is_admitted then 'not_admitted'
      when exists (select from other_discord) or exists (select from other_organisation) then 'conflict_met'
      else 'linked'
    end as outcome
  from given
  cross join taken
  cross join barred
),

requeued_flow as (
  insert into flow (
    flow_id_hash, discord_user_id, issuer, subject, created_at, expires_at, session_access_token_sealed
  )
  select
    given.move_id_hash, decided.discord_user_id, given.issuer, given.subject, given.now, given.move_expires_at,
    decided.session_access_token_sealed
  from given
  cross join decided
  where decided.outcome = 'conflict_met'
  on conflict (flow_id_hash) do nothing
  returning flow_id_hash
),

-- From here on each step counts the rows of the one before, which makes it wait. So the statement locks rows in the order
-- of docs/decisions/0028.
account as (
  insert into organisation_account (issuer, subject, claims, sources, claims_seen_at, created_at, scim_subject)
  select given.issuer, given.subject, given.claims, given.sources, given.now, given.now, given.scim_subject
  from given
  cross join decided
  where decided.outcome not in ('banned', 'not_admitted') and (select count(*) from requeued_flow) >= 0
  on conflict (issuer, subject) do update
    set
      claims = excluded.claims,
      sources = excluded.sources,
      claims_seen_at = excluded.claims_seen_at,
      scim_subject = excluded.scim_subject
  returning issuer
),

token as (
  insert into organisation_token as held (
    issuer, subject, access_token_sealed, refresh_token_sealed, expires_at, obtained_at, provider_session_id
  )
  select
    given.issuer, given.subject, given.access_token_sealed, given.refresh_token_sealed, given.expires_at, given.now,
    given.provider_session_id
  from given
  cross join account
  on conflict (issuer, subject) do update
    set
      access_token_sealed = excluded.access_token_sealed,
      refresh_token_sealed = coalesce(
        excluded.refresh_token_sealed, case when held.ended_at is null then held.refresh_token_sealed end
      ),
      expires_at = excluded.expires_at,
      obtained_at = excluded.obtained_at,
      provider_session_id = excluded.provider_session_id,
      logged_out_at = null,
      -- The token that this sign-in replaces is revoked with the grant: now, some providers would end the new ones too.
      replaced_tokens = keep_replaced_token(held.replaced_tokens, case
        when held.refresh_token_sealed is null
          then jsonb_build_object('kind', 'access_token', 'sealed', held.access_token_sealed)
        when excluded.refresh_token_sealed is not null
          then jsonb_build_object('kind', 'refresh_token', 'sealed', held.refresh_token_sealed)
      end),
      crowded_out_token = case
        when held.refresh_token_sealed is null or excluded.refresh_token_sealed is not null
          then crowd_out_token(held.replaced_tokens)
      end,
      -- An earlier grant may have been to end.
      end_due_at = null,
      end_failures = 0,
      leased_until = null,
      refresh_unanswered_since = case
        when excluded.refresh_token_sealed is null then held.refresh_unanswered_since
      end,
      refresh_refusals = 0,
      refresh_retry_at = case when excluded.refresh_token_sealed is null then held.refresh_retry_at end,
      ended_at = null,
      end_cause = null
  returning issuer, crowded_out_token
),

-- While a SCIM client says that the membership has ended, a sign-in does not change that.
heard as (
  select is_scim_user_inactive(given.scim_attribute, coalesce(given.scim_subject, given.subject)) as is_gone
  from given
),

linked as (
  insert into link (
    discord_user_id, issuer, subject, linked_at, push_due_at, push_leased_until, check_due_at, gone_at, gone_source
  )
  select
    decided.discord_user_id, given.issuer, given.subject, given.now, given.push_leased_until, given.push_leased_until,
    given.check_due_at, case when heard.is_gone then given.now end, case when heard.is_gone then 'scim' end
  from given
  cross join decided
  cross join token
  cross join heard
  where decided.outcome = 'linked'
  returning discord_user_id, gone_at
),

relinked as (
  update link
  set
    push_due_at = push_due_beside(link.push_leased_until, given.push_leased_until, given.now),
    push_leased_until = given.push_leased_until,
    -- The claims are new. A check that is under way has read older ones.
    check_due_at = given.check_due_at,
    check_leased_until = null,
    check_failures = 0,
    check_failed_code = null,
    gone_at = case when heard.is_gone then given.now end,
    gone_source = case when heard.is_gone then 'scim' end,
    token_refused_at = null,
    issuer = given.issuer,
    subject = given.subject,
    imported_at = null
  from given, decided, token, heard
  where
    decided.outcome = 'relinked'
    and link.discord_user_id = decided.discord_user_id
    and link.issuer in (given.issuer, given.issuer || '#preferred_username')
    and link.subject = case when link.issuer = given.issuer then given.subject else given.preferred_username end
  returning
    link.discord_user_id, link.linked_at, link.pushed_metadata, link.pushed_platform_username, link.cleared_at,
    link.clear_cause, link.loss_found_at, link.gone_at
),

signed_in as (
  select
    begin_session(
      session_id_hash => given.session_id_hash,
      session_key_hash => given.session_key_hash,
      session_handle => given.session_handle,
      discord_user_id => decided.discord_user_id,
      access_token_sealed => decided.session_access_token_sealed,
      refresh_token_sealed => null,
      token_expires_at => decided.token_expires_at,
      user_agent => given.user_agent,
      expires_at => least(given.session_expires_at, decided.token_expires_at),
      now => given.now,
      replaced_session_id_hashes => given.replaced_session_id_hashes,
      replaced_session_key_hashes => given.replaced_session_key_hashes
    ) as expires_at
  from given
  cross join decided
  where
    decided.outcome in ('linked', 'relinked')
    and (select count(*) from linked) + (select count(*) from relinked) >= 0
),

crowded_out as (
  insert into stray_token (
    stray_token_id, issuer, subject, access_token_sealed, refresh_token_sealed, obtained_at, due_at
  )
  select
    gen_random_uuid()::text,
    given.issuer,
    given.subject,
    case when token.crowded_out_token ->> 'kind' = 'access_token' then token.crowded_out_token ->> 'sealed' end,
    case when token.crowded_out_token ->> 'kind' = 'refresh_token' then token.crowded_out_token ->> 'sealed' end,
    given.now,
    given.now
  from given
  cross join token
  where token.crowded_out_token is not null
),

abandoned as (
  select abandon_grant(decided.discord_user_id, given.now) as is_abandoned
  from given
  cross join decided
  where decided.outcome in ('banned', 'not_admitted')
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
  select
    given.now,
    case
      when relinked.discord_user_id is not null and adoptable.discord_user_id is not null then 'adopted'
      when decided.outcome = 'banned' then 'ban_met'
      else decided.outcome
    end,
    decided.discord_user_id,
    given.issuer,
    given.subject,
    given.request_id
  from given
  cross join decided
  left join adoptable on true
  left join relinked on true
  where decided.outcome <> 'relinked' or relinked.discord_user_id is not null
)

select
  given.flow_id_hash,
  decided.outcome,
  decided.discord_user_id,
  discord_account.username,
  discord_account.global_name,
  discord_token.access_token_sealed,
  discord_token.expires_at as discord_expires_at,
  signed_in.expires_at as session_expires_at,
  other_discord.username as held_by_username,
  other_discord.global_name as held_by_global_name,
  other_organisation.discord_user_id is not null as is_held_by_organisation,
  other_organisation.organisation_names as held_organisation_names,
  coalesce(relinked.linked_at, given.now) as linked_at,
  relinked.pushed_metadata,
  relinked.pushed_platform_username,
  relinked.cleared_at,
  relinked.clear_cause,
  relinked.loss_found_at,
  coalesce(linked.gone_at, relinked.gone_at) as gone_at
from given
cross join decided
inner join discord_account on decided.discord_user_id = discord_account.discord_user_id
inner join discord_token on decided.discord_user_id = discord_token.discord_user_id
left join signed_in on true
left join linked on true
left join relinked on true
left join abandoned on true
left join requeued_flow on true
left join other_discord on true
left join other_organisation on true
where
  (decided.outcome <> 'conflict_met' or requeued_flow.flow_id_hash is not null)
  and (decided.outcome <> 'relinked' or relinked.discord_user_id is not null)
