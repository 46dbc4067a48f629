-- Keeps the time at which a refresh token of the provider may be sent again, as is done for Discord's, and adds one rule that
-- all work follows. docs/decisions/0045
-- Lock: access exclusive on organisation_token, for the time that a column without a default takes.
-- The previous release runs on it: it neither reads nor writes the column, and does not call the function. If it stores new
-- tokens beside a time of the old ones, that time is over within an hour.

-- Until when the refresh token is not sent again, because the provider refused it or asked to wait; null if it may be sent.
alter table organisation_token add column refresh_retry_at timestamptz;

-- Returns until when a refresh token must not be sent; null if it may be sent now. After a refusal nobody may send it. Any other
-- wait holds only for work that nobody waits for. The longest wait is an hour. A time that is further ahead, by more than
-- clocks may differ, was not written by a correct clock and does not count. docs/decisions/0028
create function refresh_put_off_until(
  refresh_retry_at timestamptz, refresh_refusals integer, is_awaited boolean, now timestamptz
) returns timestamptz language sql stable as $$
  select
    case
      when
        refresh_retry_at > now
        and refresh_retry_at <= now + interval '65 minutes'
        and (refresh_refusals > 0 or not is_awaited)
        then refresh_retry_at
    end
$$;
