/**
 * What the API says in words of a member's role and of the sync: the reason, and what comes next. The codes that go with them
 * are in `schemas.ts`.
 */
import type { RoleStatus } from "../member/facts.ts";
import type { SyncState } from "../member/sync_state.ts";

/** Why the role is or is not given, and what comes next. */
export const ROLE_WORDS: Readonly<Record<RoleStatus, { readonly reason: string; readonly next: string }>> = {
  not_linked: {
    reason: "No account at the organisation is linked, so Discord has nothing to give a role for.",
    next: "Follow the Linked Roles link in Discord, or GET /linked-role.",
  },
  not_admitted: {
    reason: "The organisation no longer admits the member, so Janus has cleared what Discord had of them.",
    next: "If this is wrong, ask the organisation. Signing in again brings its latest answer.",
  },
  grant_ended: {
    reason:
      "The provider has ended Janus's access to the account, and the grace is over, so Janus has cleared what Discord had.",
    next: "Sign in again: follow the Linked Roles link in Discord, or GET /linked-role.",
  },
  membership_ended: {
    reason: "The organisation says that the membership has ended, so Janus has cleared what Discord had.",
    next: "If this is wrong, ask the organisation. Signing in again brings its latest answer.",
  },
  disconnected: {
    reason: "The connection was removed in Discord, so Discord has nothing to give a role for.",
    next: "POST /api/link/sync tells Discord again; so does signing in again.",
  },
  discord_ended: {
    reason: "Discord has ended what Janus may do for the member, so it cannot be told what has changed.",
    next: "Sign in again: follow the Linked Roles link in Discord, or GET /linked-role.",
  },
  deauthorized: {
    reason:
      "The member has removed Janus from their authorized apps in Discord, so Discord has nothing to give a role for.",
    next: "If they want the role back: follow the Linked Roles link in Discord, or GET /linked-role.",
  },
  discord_not_told: {
    reason: "The link is stored, and Discord has not taken it yet.",
    next: "Janus tries again by itself at next_push_at; POST /api/link/sync tries now.",
  },
  discord_told: {
    reason: "Discord has been told. It gives the role when the member clicks Link there.",
    next: "In Discord: the server's name, Linked Roles, Link.",
  },
};

/** What each state of the sync means, and what comes next. */
export const SYNC_WORDS: Readonly<
  Record<SyncState["state"], { readonly reason: string; readonly next: string | null }>
> = {
  checked: { reason: "Janus reads the claims again by itself.", next: null },
  check_failing: {
    reason: "The claims could not be read the last time. They stay as they were.",
    next: "Janus tries again by itself at next_check_at. With `sign_in` as the remedy, signing in again may help sooner.",
  },
  not_readable: {
    reason: "No token reads the claims again, so they keep their age.",
    next: "Signing in again brings the latest claims.",
  },
  grace: {
    reason: "The provider has ended Janus's access to the account.",
    next: "Sign in again before `until`; otherwise Janus clears what Discord has.",
  },
  ended: {
    reason: "The provider has ended Janus's access to the account, and the grace is over.",
    next: "Sign in again: the link revives.",
  },
  gone: {
    reason: "The organisation says that the membership has ended.",
    next: "Nothing, unless this is wrong: then ask the organisation, or sign in again.",
  },
  held: {
    reason:
      "The rules take something that Discord has. Many members would lose something, so Janus holds all losses.",
    next: "Nothing: the operator looks into it.",
  },
  disconnected: {
    reason: "The connection was removed in Discord, and Janus leaves it so.",
    next: "POST /api/link/sync tells Discord again; so does signing in again.",
  },
  discord_ended: {
    reason: "Discord has ended what Janus may do for the member, so it cannot be told what has changed.",
    next: "Sign in again: the link revives.",
  },
  deauthorized: {
    reason:
      "The member has removed Janus from their authorized apps in Discord. Janus has forgotten the tokens.",
    next: "Nothing, unless they want the role back: then sign in again.",
  },
};
