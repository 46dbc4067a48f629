-- A sign-in to the page of administrators that has not expired, with what the provider has said of the same account since.
-- Without a link nothing has been read since, and all of that is null.
-- $1 session_id_hash text
-- $2 now timestamptz
-- row: session_id_hash text, issuer text, subject text, facts_sealed text, signed_in_at timestamptz,
-- row: expires_at timestamptz, claims jsonb, sources jsonb, claims_seen_at timestamptz, gone_at timestamptz,
-- row: ended_at timestamptz, end_cause text
select
  admin_session.session_id_hash,
  admin_session.issuer,
  admin_session.subject,
  admin_session.facts_sealed,
  admin_session.signed_in_at,
  admin_session.expires_at,
  organisation_account.claims,
  organisation_account.sources,
  organisation_account.claims_seen_at,
  link.gone_at,
  organisation_token.ended_at,
  organisation_token.end_cause
from admin_session
left join link on admin_session.issuer = link.issuer and admin_session.subject = link.subject
left join organisation_account
  on link.issuer = organisation_account.issuer and link.subject = organisation_account.subject
left join organisation_token
  on link.issuer = organisation_token.issuer and link.subject = organisation_token.subject
where admin_session.session_id_hash = $1 and admin_session.expires_at > $2
