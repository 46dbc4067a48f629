-- Rules that several statements follow, each in one place: when a lease holds, when the end of a grant comes before a
-- sign-in, which replaced tokens are kept, and how a session begins. docs/decisions/0031
-- PostgreSQL writes the four that are one expression into the statements that use them, so those cost nothing.
-- Lock: none on a table. The previous release runs on it: it knows none of these functions.

-- A lease beyond what a correct clock can write is over. docs/decisions/0028
create function is_leased(leased_until timestamptz, now timestamptz) returns boolean language sql stable as $$
  select leased_until is not null and leased_until > now and leased_until <= now + interval '15 minutes'
$$;

-- Whether the end of a grant keeps its member from signing in, because that end takes the new tokens with it. An
-- abandoned grant does not, nor one whose end has failed five times; while its end is being tried, each does.
create function keeps_member_out(
  end_reason text, end_failures integer, leased_until timestamptz, now timestamptz
) returns boolean language sql stable as $$
  select
    end_reason is not null
    and (
      (end_reason <> 'abandoned' and end_failures < 5)
      or is_leased(leased_until, now)
    )
$$;

-- The tokens that sign-ins have replaced, with one more if there is one: the last twenty.
create function keep_replaced_token(replaced_tokens jsonb, token jsonb) returns jsonb language sql immutable as $$
  select
    case
      when token is null then replaced_tokens
      when jsonb_array_length(replaced_tokens) < 20 then replaced_tokens || token
      else (replaced_tokens - 0) || token
    end
$$;

-- The one that has to go for one more, null if there is room.
create function crowd_out_token(replaced_tokens jsonb) returns jsonb language sql immutable as $$
  select case when jsonb_array_length(replaced_tokens) >= 20 then replaced_tokens -> 0 end
$$;

-- Begins a session and returns when it ends. First it ends a session of the same id, those that the browser had before
-- (an id counts only together with its key), and those of a member who has lost the link. If it gets no access token, it
-- ends sessions and begins none.
-- Locks sessions in the order of docs/decisions/0028.
create function begin_session(
  session_id_hash text,
  session_key_hash text,
  session_handle text,
  discord_user_id text,
  access_token_sealed text,
  refresh_token_sealed text,
  token_expires_at timestamptz,
  user_agent text,
  expires_at timestamptz,
  now timestamptz,
  replaced_session_id_hashes text,
  replaced_session_key_hashes text,
  ended_discord_user_id text default null
) returns timestamptz language plpgsql as $$
begin
  with locked as (
    select session.session_id_hash
    from session
    where
      session.session_id_hash = any(
        array_append(string_to_array(replaced_session_id_hashes, ','), begin_session.session_id_hash)
        || array(select ended.session_id_hash from session as ended where ended.discord_user_id = ended_discord_user_id)
      )
      and (
        session.session_id_hash = begin_session.session_id_hash
        or session.session_key_hash = any(string_to_array(replaced_session_key_hashes, ','))
        or session.discord_user_id = ended_discord_user_id
      )
    order by session.session_id_hash
    for update
  )
  delete from session using locked
  where session.session_id_hash = locked.session_id_hash and (select count(*) from locked) >= 0;

  if access_token_sealed is null then
    return null;
  end if;

  insert into session (
    session_id_hash,
    session_key_hash,
    session_handle,
    discord_user_id,
    access_token_sealed,
    refresh_token_sealed,
    token_expires_at,
    user_agent,
    created_at,
    last_used_at,
    expires_at
  )
  values (
    begin_session.session_id_hash,
    begin_session.session_key_hash,
    begin_session.session_handle,
    begin_session.discord_user_id,
    begin_session.access_token_sealed,
    begin_session.refresh_token_sealed,
    begin_session.token_expires_at,
    begin_session.user_agent,
    begin_session.now,
    begin_session.now,
    begin_session.expires_at
  );
  return expires_at;
end
$$;
