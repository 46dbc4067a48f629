/**
 * What the API takes and answers, said once: these schemas check requests and type answers, and `openapi.ts` describes
 * them. Names on the wire are snake_case, times ISO 8601 in UTC.
 */
import * as v from "valibot";

const text = v.string();
const nullableText = v.nullable(text);
const time = v.pipe(v.string(), v.isoTimestamp());
const nullableTime = v.nullable(time);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const metadata = v.record(text, text);

/** A session's name in lists, or `all` for every other one. */
export const sessionHandle = v.pipe(text, v.regex(/^([A-Za-z0-9_-]{12}|all)$/));

/** GET /api/userinfo */
export const userinfo = v.object({
  discord: v.object({
    id: text,
    username: text,
    /** The display name; null where the member chose none. */
    display_name: nullableText,
    avatar_url: text,
  }),
  link: v.nullable(
    v.object({
      organisation_name: nullableText,
      linked_at: time,
      pushed_metadata: v.nullable(metadata),
      pushed_at: nullableTime,
      next_push_at: nullableTime,
      push_failures: count,
      /** Whether the rules let the member link, by the claims that are stored. */
      admission: v.picklist(["admitted", "refused", "unknown"]),
      /** Since when Discord has nothing of the member, because Janus cleared it. */
      cleared_at: nullableTime,
      /** Why: the rules no longer admit the member, the provider had ended the grant, or the membership had ended. */
      clear_cause: v.nullable(v.picklist(["not_admitted", "grant_ended", "membership_ended"])),
      /** When Discord was last told that the member loses something. */
      lost_at: nullableTime,
      /** What keeps the link true, or keeps it from being true. */
      sync: v.object({
        state: v.picklist([
          "checked",
          "check_failing",
          "not_readable",
          "grace",
          "ended",
          "gone",
          "held",
          "disconnected",
          "discord_ended",
          "deauthorized",
        ]),
        reason: text,
        next: nullableText,
        /** Of `grace`, `ended`, `gone`, `held`, `disconnected`, `discord_ended` and `deauthorized`. */
        since: nullableTime,
        /** Of `grace`: when the role connection is cleared unless the member signs in again. */
        until: nullableTime,
        /** Of `not_readable`. */
        why: v.nullable(v.picklist(["no_refresh_token", "unanswered"])),
        /** Of `check_failing`. */
        remedy: v.nullable(v.picklist(["wait", "sign_in"])),
        /** When the claims were last read. */
        claims_seen_at: time,
        /** When they are read next; null if nothing can read them. */
        next_check_at: nullableTime,
        check_failures: count,
      }),
      records: v.array(
        v.object({
          key: text,
          name: text,
          /** The type as Discord numbers it. */
          type: count,
          /** What Discord last took; null if it has no value. */
          discord_has: nullableText,
          /** What the rules say now: a value, or that a claim is missing, or that it has another form. */
          outcome: v.picklist(["value", "unknown", "error"]),
          value: nullableText,
          reason: nullableText,
        }),
      ),
    }),
  ),
  role: v.object({
    status: v.picklist([
      "not_linked",
      "not_admitted",
      "grant_ended",
      "membership_ended",
      "disconnected",
      "discord_ended",
      "deauthorized",
      "discord_not_told",
      "discord_told",
    ]),
    reason: text,
    next: text,
  }),
});

/** GET /api/sessions */
export const sessionList = v.object({
  sessions: v.array(
    v.object({
      handle: text,
      current: v.boolean(),
      user_agent: nullableText,
      created_at: time,
      last_used_at: time,
      expires_at: time,
    }),
  ),
});

/** An action that was done. */
export const done = v.object({ ok: v.literal(true) });

/** POST /api/link/sync. Discord has been told, and `result` says what came of it. */
export const synced = v.object({
  ok: v.literal(true),
  result: v.picklist(["up_to_date", "changed", "held", "provider_silent", "not_readable", "sign_in"]),
});

/** DELETE /api/sessions/{handle} */
export const sessionsEnded = v.object({ ok: v.literal(true), ended: count });

/** DELETE /api/link. `finished` is false while Discord or the provider has still to be told. */
export const unlinked = v.object({ ok: v.literal(true), finished: v.boolean() });

const presence = v.picklist(["present", "absent"]);

/** GET /api/me/export */
export const storedData = v.object({
  /** What the file is, for people, in the language of Accept-Language. */
  about: v.array(text),
  exported_at: time,
  discord_account: v.object({
    id: text,
    username: text,
    display_name: nullableText,
    created_at: time,
    updated_at: time,
  }),
  discord_grant: v.nullable(
    v.object({
      scope: text,
      access_token: presence,
      refresh_token: presence,
      expires_at: time,
      obtained_at: time,
      /** Why Janus is to end the grant. */
      ending: nullableText,
      /** Since when Discord has ended it, and how that showed. */
      ended_at: nullableTime,
      end_cause: nullableText,
    }),
  ),
  link: v.nullable(
    v.object({
      linked_at: time,
      /** When an operator imported it; null once the member has signed in. */
      imported_at: nullableTime,
      pushed_metadata: v.nullable(metadata),
      pushed_platform_username: nullableText,
      pushed_at: nullableTime,
      cleared_at: nullableTime,
      clear_cause: nullableText,
      next_push_at: nullableTime,
      push_failures: count,
      push_failed_code: nullableText,
      sync_asked_at: nullableTime,
      next_check_at: nullableTime,
      check_failures: count,
      check_failed_code: nullableText,
      /** When Discord was last asked what it has. */
      reconciled_at: nullableTime,
      /** Since when Discord has nothing, because the member removed it there. */
      disconnected_at: nullableTime,
      /** Since when Discord does not take access tokens that it has just given. */
      token_refused_at: nullableTime,
      /** Since when the rules take something that Discord has, and when Discord is told. */
      loss_found_at: nullableTime,
      next_loss_push_at: nullableTime,
      lost_at: nullableTime,
      membership_ended_at: nullableTime,
      membership_ended_by: nullableText,
    }),
  ),
  organisation_account: v.nullable(
    v.object({
      issuer: text,
      subject: text,
      claims: v.record(text, v.unknown()),
      /** What the sources of the rules have answered, by their names. */
      sources: v.record(text, v.unknown()),
      claims_seen_at: time,
      created_at: time,
    }),
  ),
  organisation_grant: v.nullable(
    v.object({
      access_token: presence,
      refresh_token: presence,
      expires_at: nullableTime,
      obtained_at: time,
      /** How many tokens of earlier sign-ins are revoked with the grant. */
      replaced_tokens: v.number(),
      refresh_unanswered_since: nullableTime,
      refresh_refusals: count,
      ended_at: nullableTime,
      end_cause: nullableText,
    }),
  ),
  /** What the organisation's SCIM client has told, with `active` and `groups`; null if it has told nothing. */
  scim_user: v.nullable(v.objectWithRest({ external_id: nullableText, user_name: text }, v.unknown())),
  /** Since when Discord may have a role connection of an earlier link that Janus could not clear. */
  role_connection_left_at: nullableTime,
  /** Bans in force: the accounts may not link. `expires_at` is null if only the organisation lifts it. */
  bans: v.array(v.object({ banned_at: time, expires_at: nullableTime })),
  flows: v.array(
    v.object({
      created_at: time,
      expires_at: time,
      /** Of a flow that waits for a move to be confirmed. */
      organisation_account: v.nullable(
        v.object({
          issuer: text,
          subject: text,
          claims: v.record(text, v.unknown()),
          sources: v.record(text, v.unknown()),
        }),
      ),
    }),
  ),
  sessions: v.array(
    v.object({
      handle: text,
      user_agent: nullableText,
      access_token: presence,
      refresh_token: presence,
      created_at: time,
      last_used_at: time,
      expires_at: time,
    }),
  ),
  audit_trail: v.array(
    v.object({
      occurred_at: time,
      action: text,
      issuer: nullableText,
      subject: nullableText,
      request_id: nullableText,
      /** Whether an operator did it, whose name is not told. */
      by_operator: v.boolean(),
      /** What changed: `values` by their keys, each with `from` and `to`; the `cause`; or an operator's `reason`. */
      detail: v.nullable(v.record(text, v.unknown())),
    }),
  ),
});

/** A problem document; `code` is Janus's own and stable. RFC 9457 */
export const problem = v.object({
  type: v.literal("about:blank"),
  title: text,
  status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
  code: text,
  detail: text,
});

/** What an endpoint answers. */
export type Userinfo = v.InferOutput<typeof userinfo>;
/** What an endpoint answers. */
export type StoredData = v.InferOutput<typeof storedData>;
/** What an endpoint answers. */
export type SessionList = v.InferOutput<typeof sessionList>;
/** A problem document. */
export type Problem = v.InferOutput<typeof problem>;
