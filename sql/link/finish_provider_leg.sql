-- Takes the flow that the Discord leg left, stores the organisation account with its tokens, links the two accounts,
-- and signs the member in. If either account is linked to a third one, no link changes: the flow is stored again under
-- a new id until the member confirms the move.
-- No row comes back if the flow does not exist, or if the grant is to end, because that end would take the link's
-- tokens with it. If two legs of one flow arrive at the same moment, a question that is already stored stays, and the
-- later leg gets no row. A session of the same flow has the same id and is replaced.
-- The last twenty tokens that sign-ins have replaced are kept. The one before them becomes a stray token, to be
-- revoked.
-- $1 flow_id_hash text
-- $2 issuer text
-- $3 subject text
-- $4 claims jsonb
-- $5 access_token_sealed text
-- $6 refresh_token_sealed text, null if the provider gave none
-- $7 expires_at timestamptz, null if the provider did not say
-- $8 push_leased_until timestamptz
-- $9 move_id_hash text: the new id of the flow in a conflict
-- $10 move_expires_at timestamptz
-- $11 request_id text
-- $12 now timestamptz
-- $13 session_id_hash text
-- $14 session_handle text
-- $15 user_agent text, null if it says nothing useful
-- $16 session_expires_at timestamptz: the session ends with its token if that expires sooner
-- $17 replaced_session_id_hashes text, null if the browser had none; separated by commas
-- $18 session_key_hash text
-- $19 replaced_session_key_hashes text, null if the browser had none: one for each of its keys with each of its ids
-- row: flow_id_hash text, outcome text, discord_user_id text, username text, global_name text, access_token_sealed text,
-- row: discord_expires_at timestamptz, session_expires_at timestamptz, held_by_username text,
-- row: held_by_global_name text, is_held_by_organisation boolean, held_organisation_name text
with locked_account as (
  select discord_account.discord_user_id
  from flow
  inner join discord_account on flow.discord_user_id = discord_account.discord_user_id
  where flow.flow_id_hash = $1
  for key share of discord_account
),

usable as (
  select discord_token.discord_user_id
  from locked_account
  inner join discord_token on locked_account.discord_user_id = discord_token.discord_user_id
  where discord_token.end_reason is null
  for no key update of discord_token
),

taken as (
  delete from flow
  using usable
  where flow.flow_id_hash = $1 and flow.issuer is null and flow.expires_at > $12
  returning flow.discord_user_id, flow.session_access_token_sealed
),

other_discord as (
  select discord_account.username, discord_account.global_name
  from taken
  inner join link on link.issuer = $2 and link.subject = $3 and link.discord_user_id <> taken.discord_user_id
  inner join discord_account on link.discord_user_id = discord_account.discord_user_id
),

other_organisation as (
  select
    taken.discord_user_id,
    -- Only the name, since the claims may be large.
    coalesce(
      organisation_account.claims ->> 'preferred_username', organisation_account.claims ->> 'name'
    ) as organisation_name
  from taken
  inner join link
    on taken.discord_user_id = link.discord_user_id and (link.issuer <> $2 or link.subject <> $3)
  inner join organisation_account
    on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
),

decided as (
  select
    taken.discord_user_id,
    taken.session_access_token_sealed,
    case
      when exists (select from other_discord) or exists (select from other_organisation) then 'conflict_met'
      when exists (select from link where link.discord_user_id = taken.discord_user_id) then 'relinked'
      else 'linked'
    end as outcome
  from taken
),

requeued_flow as (
  insert into flow (
    flow_id_hash,
    discord_user_id,
    issuer,
    subject,
    created_at,
    expires_at,
    session_access_token_sealed
  )
  select
    $9,
    decided.discord_user_id,
    $2,
    $3,
    $12,
    $10,
    decided.session_access_token_sealed
  from decided
  where decided.outcome = 'conflict_met'
  on conflict (flow_id_hash) do nothing
  returning flow_id_hash
),

-- From here on each step counts the rows of the one before, which makes it wait. So the statement locks rows in the order
-- of docs/decisions/0028.
account as (
  insert into organisation_account (issuer, subject, claims, claims_seen_at, created_at)
  select
    $2,
    $3,
    $4,
    $12,
    $12
  from decided
  where (select count(*) from requeued_flow) >= 0
  on conflict (issuer, subject) do update
    set
      claims = excluded.claims,
      claims_seen_at = excluded.claims_seen_at
  returning issuer
),

token as (
  insert into organisation_token as held (
    issuer,
    subject,
    access_token_sealed,
    refresh_token_sealed,
    expires_at,
    obtained_at
  )
  select
    $2,
    $3,
    $5,
    $6,
    $7,
    $12
  from account
  on conflict (issuer, subject) do update
    set
      access_token_sealed = excluded.access_token_sealed,
      refresh_token_sealed = coalesce(excluded.refresh_token_sealed, held.refresh_token_sealed),
      expires_at = excluded.expires_at,
      obtained_at = excluded.obtained_at,
      -- The token that this sign-in replaces still works at the provider. It is revoked together with the grant. If it
      -- were revoked now, some providers would end the new tokens too.
      replaced_tokens = case
        when jsonb_array_length(held.replaced_tokens) < 20 then held.replaced_tokens
        else held.replaced_tokens - 0
      end || case
        when held.refresh_token_sealed is null
          then jsonb_build_object('kind', 'access_token', 'sealed', held.access_token_sealed)
        when excluded.refresh_token_sealed is not null
          then jsonb_build_object('kind', 'refresh_token', 'sealed', held.refresh_token_sealed)
        else '[]'
      end,
      crowded_out_token = case
        when jsonb_array_length(held.replaced_tokens) >= 20 then held.replaced_tokens -> 0
      end,
      -- If an earlier grant was to end, this one is not.
      end_due_at = null,
      end_failures = 0,
      leased_until = null
  returning issuer, crowded_out_token
),

crowded_out as (
  insert into stray_token (
    stray_token_id,
    issuer,
    subject,
    access_token_sealed,
    refresh_token_sealed,
    obtained_at,
    due_at
  )
  select
    gen_random_uuid()::text,
    $2,
    $3,
    case when token.crowded_out_token ->> 'kind' = 'access_token' then token.crowded_out_token ->> 'sealed' end,
    case when token.crowded_out_token ->> 'kind' = 'refresh_token' then token.crowded_out_token ->> 'sealed' end,
    $12,
    $12
  from token
  where token.crowded_out_token is not null
),

linked as (
  insert into link (discord_user_id, issuer, subject, linked_at, push_due_at, push_leased_until)
  select
    decided.discord_user_id,
    $2,
    $3,
    $12,
    $8,
    $8
  from decided
  cross join token
  where decided.outcome = 'linked'
  returning discord_user_id
),

relinked as (
  update link
  set
    push_due_at = $8,
    push_leased_until = $8
  from decided, token
  where decided.outcome = 'relinked' and link.discord_user_id = decided.discord_user_id
  returning link.discord_user_id
),

locked_sessions as (
  select session.session_id_hash
  from decided
  cross join session
  where
    decided.outcome <> 'conflict_met'
    and (
      session.session_id_hash = $13
      or (
        session.session_id_hash = any(string_to_array($17, ','))
        and session.session_key_hash = any(string_to_array($19, ','))
      )
    )
    and (select count(*) from linked) + (select count(*) from relinked) >= 0
  order by session.session_id_hash
  for update of session
),

-- Runs before the new session is stored, which may have the same id.
signed_out as (
  delete from session
  using locked_sessions
  where session.session_id_hash = locked_sessions.session_id_hash and (select count(*) from locked_sessions) >= 0
  returning session.session_id_hash
),

signed_in as (
  insert into session (
    session_id_hash,
    session_key_hash,
    session_handle,
    discord_user_id,
    access_token_sealed,
    token_expires_at,
    user_agent,
    created_at,
    last_used_at,
    expires_at
  )
  select
    $13,
    $18,
    $14,
    decided.discord_user_id,
    decided.session_access_token_sealed,
    discord_token.expires_at,
    $15,
    $12,
    $12,
    least($16, discord_token.expires_at)
  from decided
  inner join discord_token on decided.discord_user_id = discord_token.discord_user_id
  where
    decided.outcome <> 'conflict_met'
    and decided.session_access_token_sealed is not null
    and (select count(*) from signed_out) >= 0
  returning expires_at
),

audit as (
  insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
  select
    $12,
    decided.outcome,
    decided.discord_user_id,
    $2,
    $3,
    $11
  from decided
)

select
  $1 as flow_id_hash,
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
  other_organisation.organisation_name as held_organisation_name
from decided
inner join discord_account on decided.discord_user_id = discord_account.discord_user_id
inner join discord_token on decided.discord_user_id = discord_token.discord_user_id
left join signed_in on true
left join requeued_flow on true
left join other_discord on true
left join other_organisation on true
where decided.outcome <> 'conflict_met' or requeued_flow.flow_id_hash is not null
