-- Keeps the tokens of a sign-in that made no link with the account that signed in: they end together with its grant. An
-- account without a grant gets one that is to end now. Tokens that are stored already are not stored twice. Like
-- link/insert.sql it keeps the last twenty; an earlier one becomes a stray, to be revoked.
-- $1 issuer text
-- $2 subject text
-- $3 access_token_sealed text
-- $4 refresh_token_sealed text, null where the provider gave none
-- $5 expires_at timestamptz, null where the provider did not say
-- $6 now timestamptz
-- nothing
with account as (
  insert into organisation_account as known (issuer, subject, claims, claims_seen_at, created_at)
  values ($1, $2, '{}', $6, $6)
  -- Changes nothing, but locks the row, as docs/decisions/0028 requires.
  on conflict (issuer, subject) do update
    set claims = known.claims
  returning issuer, subject
),

token as (
  insert into organisation_token as held (
    issuer,
    subject,
    access_token_sealed,
    refresh_token_sealed,
    expires_at,
    obtained_at,
    end_due_at
  )
  select
    account.issuer,
    account.subject,
    $3,
    $4,
    $5,
    $6,
    $6
  from account
  on conflict (issuer, subject) do update
    set
      replaced_tokens = case
        when jsonb_array_length(held.replaced_tokens) < 20 then held.replaced_tokens
        else held.replaced_tokens - 0
      end || case
        when excluded.refresh_token_sealed is null
          then jsonb_build_object('kind', 'access_token', 'sealed', excluded.access_token_sealed)
        else jsonb_build_object('kind', 'refresh_token', 'sealed', excluded.refresh_token_sealed)
      end,
      crowded_out_token = case
        when jsonb_array_length(held.replaced_tokens) >= 20 then held.replaced_tokens -> 0
      end
    where
      held.access_token_sealed <> excluded.access_token_sealed
      and not held.replaced_tokens @> case
        when excluded.refresh_token_sealed is null
          then jsonb_build_array(jsonb_build_object('sealed', excluded.access_token_sealed))
        else jsonb_build_array(jsonb_build_object('sealed', excluded.refresh_token_sealed))
      end
  returning held.crowded_out_token
)

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
  $1,
  $2,
  case when token.crowded_out_token ->> 'kind' = 'access_token' then token.crowded_out_token ->> 'sealed' end,
  case when token.crowded_out_token ->> 'kind' = 'refresh_token' then token.crowded_out_token ->> 'sealed' end,
  $6,
  $6
from token
where token.crowded_out_token is not null
