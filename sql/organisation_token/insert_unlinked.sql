-- Keeps the tokens of a sign-in that made no link. If the account has a grant, they end together with it; otherwise
-- they are stray tokens, to be revoked. Tokens that are stored already are not stored twice. An account keeps its last
-- twenty, as in link/finish_provider_leg.sql; the one before them becomes a stray token.
-- $1 issuer text
-- $2 subject text
-- $3 access_token_sealed text
-- $4 refresh_token_sealed text, null if the provider gave none
-- $5 expires_at timestamptz, null if the provider did not say
-- $6 now timestamptz
-- nothing
with given as (
  select
    case when $4::text is null then 'access_token' else 'refresh_token' end as kind,
    coalesce($4, $3) as sealed
),

kept as (
  update organisation_token as held
  set
    replaced_tokens = case
      when jsonb_array_length(held.replaced_tokens) < 20 then held.replaced_tokens
      else held.replaced_tokens - 0
    end || jsonb_build_object('kind', given.kind, 'sealed', given.sealed),
    crowded_out_token = case
      when jsonb_array_length(held.replaced_tokens) >= 20 then held.replaced_tokens -> 0
    end
  from given
  where
    held.issuer = $1
    and held.subject = $2
    and held.access_token_sealed <> $3
    and not held.replaced_tokens @> jsonb_build_array(jsonb_build_object('sealed', given.sealed))
  returning held.crowded_out_token
),

stored as (
  select organisation_token.issuer
  from organisation_token
  cross join given
  where
    organisation_token.issuer = $1
    and organisation_token.subject = $2
    and (
      organisation_token.access_token_sealed = $3
      or organisation_token.replaced_tokens @> jsonb_build_array(jsonb_build_object('sealed', given.sealed))
    )
),

stray as (
  select
    given.kind,
    given.sealed,
    $5::timestamptz as expires_at
  from given
  where not exists (select from kept) and not exists (select from stored)
  union all
  select
    kept.crowded_out_token ->> 'kind',
    kept.crowded_out_token ->> 'sealed',
    null
  from kept
  where kept.crowded_out_token is not null
)

insert into stray_token (
  stray_token_id,
  issuer,
  subject,
  access_token_sealed,
  refresh_token_sealed,
  expires_at,
  obtained_at,
  due_at
)
select
  gen_random_uuid()::text,
  $1,
  $2,
  case when stray.kind = 'access_token' then stray.sealed end,
  case when stray.kind = 'refresh_token' then stray.sealed end,
  stray.expires_at,
  $6,
  $6
from stray
