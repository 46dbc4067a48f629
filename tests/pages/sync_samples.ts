/** A member's link in every state of the sync. */
import type { LinkFacts } from "../../lib/member/facts.ts";
import { CLEARED, CLEARED_AT, memberRecord, says } from "./record_samples.ts";

export const CHECKED_AT = new Date("2026-07-05T09:15:00Z");
export const NEXT_CHECK_AT = new Date("2026-07-06T08:20:00Z");
export const SINCE = new Date("2026-07-02T14:07:00Z");
export const GRACE_UNTIL = new Date("2026-07-09T14:07:00Z");

/** As the page and the tests write these times. */
export const SHOWN = {
  en: {
    cleared: "5 Jul 2026, 10:03 UTC",
    checked: "5 Jul 2026, 09:15 UTC",
    nextCheck: "6 Jul 2026, 08:20 UTC",
    since: "2 Jul 2026, 14:07 UTC",
    until: "9 Jul 2026, 14:07 UTC",
  },
  sv: {
    cleared: "5 juli 2026 10:03 UTC",
    checked: "5 juli 2026 09:15 UTC",
    nextCheck: "6 juli 2026 08:20 UTC",
    since: "2 juli 2026 14:07 UTC",
    until: "9 juli 2026 14:07 UTC",
  },
  de: {
    cleared: "5. Juli 2026, 10:03 UTC",
    checked: "5. Juli 2026, 09:15 UTC",
    nextCheck: "6. Juli 2026, 08:20 UTC",
    since: "2. Juli 2026, 14:07 UTC",
    until: "9. Juli 2026, 14:07 UTC",
  },
} as const;

/** Claims that are read again, on time. */
export const CHECKED = {
  claimsSeenAt: CHECKED_AT,
  nextCheckAt: NEXT_CHECK_AT,
  checkFailures: 0,
  clearCause: null,
  lostAt: null,
  sync: { state: "checked" },
} as const satisfies Partial<LinkFacts>;

const UNREAD = { nextCheckAt: null, nextPushAt: null } as const;
const ENDED = { ...UNREAD, sync: { state: "ended", since: SINCE } } as const;
const GONE = { nextPushAt: null, sync: { state: "gone", since: SINCE } } as const;
const REVIVED = { ...CLEARED, clearCause: "grant_ended", nextPushAt: null } as const;

/** Each other state, by its name in reports. */
export const STATES = {
  failing: { sync: { state: "check_failing", remedy: "wait" }, checkFailures: 1, nextPushAt: null },
  failingHere: { sync: { state: "check_failing", remedy: "sign_in" }, checkFailures: 3, nextPushAt: null },
  notReadable: { ...UNREAD, sync: { state: "not_readable", why: "no_refresh_token" } },
  grace: { ...UNREAD, sync: { state: "grace", since: SINCE, until: GRACE_UNTIL } },
  /** The grace is over, and Discord has still to be told. */
  graceOver: ENDED,
  ended: { ...CLEARED, ...ENDED, clearCause: "grant_ended", clearedAt: CLEARED_AT },
  /** The rules had refused the member before the grant ended. */
  refusedAndEnded: { ...CLEARED, ...ENDED, clearCause: "not_admitted", admission: "refused" },
  /** After a sign-in that did not say whether the member is admitted. */
  revivedUnknown: { ...REVIVED, admission: "unknown" },
  /** After a sign-in. */
  revived: REVIVED,
  /** The organisation says so, and Discord has still to be told. */
  goneSoon: GONE,
  gone: { ...CLEARED, ...GONE, clearCause: "membership_ended", clearedAt: CLEARED_AT },
  held: {
    sync: { state: "held", since: SINCE },
    nextPushAt: null,
    records: [memberRecord("1", says("0"))],
  },
  heldAdmission: { sync: { state: "held", since: SINCE }, nextPushAt: null, admission: "refused" },
  /** A record became a no. */
  lost: { lostAt: SINCE, nextPushAt: null, records: [memberRecord("0")] },
  disconnected: { sync: { state: "disconnected", since: SINCE }, nextPushAt: null },
  discordEnded: { sync: { state: "discord_ended", since: SINCE }, nextPushAt: null, pushFailures: 1 },
  deauthorized: { sync: { state: "deauthorized", since: SINCE }, nextPushAt: null, nextCheckAt: null },
  /** The member wants it back, and Discord did not take it. */
  disconnectedNotTold: { sync: { state: "disconnected", since: SINCE }, pushFailures: 1 },
} as const satisfies Readonly<Record<string, Partial<LinkFacts>>>;
