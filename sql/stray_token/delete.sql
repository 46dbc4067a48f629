-- Removes a stray token that has ended, or that can no longer end anything.
-- $1 stray_token_id text
-- $2 now timestamptz
-- $3 is_revoked boolean: whether the provider revoked it, for the trail
-- nothing
with ended as (
  delete from stray_token
  where stray_token_id = $1
  returning issuer, subject
)

insert into audit_event (occurred_at, action, issuer, subject)
select $2, 'provider_grant_ended', ended.issuer, ended.subject
from ended
where $3
