-- The links of one page that a filter leaves, in the order of their key. A null of the filter leaves every link. Nothing is
-- locked. A page has 1,000 links, and a few more if some are made meanwhile; the limit tells the planner how few that are.
-- rows: discord_user_id text, username text, global_name text, issuer text, subject text, names jsonb, state text,
-- rows: linked_at timestamptz, claims_seen_at timestamptz, pushed_metadata jsonb, pushed_at timestamptz,
-- rows: push_due_at timestamptz, push_failures integer, check_due_at timestamptz, check_failures integer,
-- rows: check_failed_code text, push_failed_code text
with given as not materialized (
  select
    $1::text as after, -- the end of the page before, or '' for the first page
    $2::text as last, -- the end of this page
    $3::text as state, -- null for any; as count_states.sql counts links
    $4::text as record_key, -- null for any; of what Discord was told
    $5::text as record_value, -- null for any
    $6::text as claim, -- null for any
    $7::text as claim_value, -- null for any; the value, one of a list, or a key of an object
    $8::timestamptz as seen_before, -- null for any; when the claims were last read
    $9::text as failed_code, -- null for any; of the last check, or of the last push
    $10::boolean as is_failing, -- true for links whose last check or push failed
    $11::text as words -- null for any; a part of an id or of a name
),

page as (
  select
    link.discord_user_id,
    link.issuer,
    link.subject,
    link_state(
      link.cleared_at, link.loss_found_at, link.disconnected_at, link.pushed_at, link.push_due_at
    ) as state,
    link.linked_at,
    link.pushed_metadata,
    link.pushed_at,
    link.push_due_at,
    link.push_failures,
    link.check_due_at,
    link.check_failures,
    link.check_failed_code,
    case when link.push_failures > 0 then link.push_failed_code end as push_failed_code
  from given
  inner join link on link.discord_user_id > given.after and link.discord_user_id <= given.last
  order by link.discord_user_id
  limit 2000
)

select
  page.discord_user_id,
  discord_account.username,
  discord_account.global_name,
  page.issuer,
  page.subject,
  names.names,
  page.state,
  page.linked_at,
  organisation_account.claims_seen_at,
  page.pushed_metadata,
  page.pushed_at,
  page.push_due_at,
  page.push_failures,
  page.check_due_at,
  page.check_failures,
  page.check_failed_code,
  page.push_failed_code
from given
cross join page
inner join discord_account on page.discord_user_id = discord_account.discord_user_id
inner join organisation_account
  on page.issuer = organisation_account.issuer and page.subject = organisation_account.subject
cross join lateral (
  select jsonb_build_object('preferred_username', claim.preferred_username, 'name', claim.name) as names
  from jsonb_to_record(organisation_account.claims) as claim (preferred_username jsonb, name jsonb)
) as names
where
  (given.state is null or page.state = given.state)
  and (given.record_key is null or page.pushed_metadata ? given.record_key)
  and (given.record_value is null or page.pushed_metadata ->> given.record_key = given.record_value)
  and (given.claim is null or organisation_account.claims ? given.claim)
  and (
    given.claim_value is null
    or organisation_account.claims ->> given.claim = given.claim_value
    or organisation_account.claims -> given.claim ? given.claim_value
  )
  and (given.seen_before is null or organisation_account.claims_seen_at < given.seen_before)
  and (
    given.failed_code is null
    or page.check_failed_code = given.failed_code
    or page.push_failed_code = given.failed_code
  )
  and (not given.is_failing or page.check_failures > 0 or page.push_failures > 0)
  and (
    given.words is null
    or strpos(
      lower(
        concat_ws(
          chr(10),
          page.discord_user_id,
          discord_account.username,
          discord_account.global_name,
          page.subject,
          organisation_account.claims ->> 'preferred_username',
          organisation_account.claims ->> 'name'
        )
      ),
      lower(given.words)
    ) > 0
  )
order by page.discord_user_id
