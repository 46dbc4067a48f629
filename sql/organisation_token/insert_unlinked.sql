-- Keeps the tokens of a sign-in that made no link. If the account has a grant, they end together with it; otherwise
-- they are stray tokens, to be revoked. Tokens that are stored already are not stored twice. An account keeps its last
-- twenty; the one before them becomes a stray token.
-- nothing
with given as not materialized (
  select
    $1::text as issuer,
    $2::text as subject,
    $3::text as access_token_sealed,
    $4::text as refresh_token_sealed, -- null if the provider gave none
    $5::timestamptz as expires_at, -- null if the provider did not say
    $6::timestamptz as now
),

brought as (
  select
    case when given.refresh_token_sealed is null then 'access_token' else 'refresh_token' end as kind,
    coalesce(given.refresh_token_sealed, given.access_token_sealed) as sealed
  from given
),

kept as (
  update organisation_token as held
  set
    replaced_tokens = keep_replaced_token(
      held.replaced_tokens, jsonb_build_object('kind', brought.kind, 'sealed', brought.sealed)
    ),
    crowded_out_token = crowd_out_token(held.replaced_tokens)
  from given, brought
  where
    held.issuer = given.issuer
    and held.subject = given.subject
    and held.access_token_sealed <> given.access_token_sealed
    and not held.replaced_tokens @> jsonb_build_array(jsonb_build_object('sealed', brought.sealed))
  returning held.crowded_out_token
),

stored as (
  select organisation_token.issuer
  from given
  cross join brought
  inner join organisation_token
    on given.issuer = organisation_token.issuer and given.subject = organisation_token.subject
  where
    organisation_token.access_token_sealed = given.access_token_sealed
    or organisation_token.replaced_tokens @> jsonb_build_array(jsonb_build_object('sealed', brought.sealed))
),

stray as (
  select brought.kind, brought.sealed, given.expires_at
  from given
  cross join brought
  where not exists (select from kept) and not exists (select from stored)
  union all
  select kept.crowded_out_token ->> 'kind', kept.crowded_out_token ->> 'sealed', null
  from kept
  where kept.crowded_out_token is not null
)

insert into stray_token (
  stray_token_id, issuer, subject, access_token_sealed, refresh_token_sealed, expires_at, obtained_at, due_at
)
select
  gen_random_uuid()::text,
  given.issuer,
  given.subject,
  case when stray.kind = 'access_token' then stray.sealed end,
  case when stray.kind = 'refresh_token' then stray.sealed end,
  stray.expires_at,
  given.now,
  given.now
from given
cross join stray
