/**
 * The notice on the member's own page: what came of the form that led back there. It is shown once. The address does not name
 * it, so no link from elsewhere can make the page say something that did not happen.
 */
import * as v from "valibot";
import type { Needs } from "./sealed.ts";
import { isYoung, openShown, sealShown } from "./sealed.ts";

/** Every notice. */
export const NOTICES = [
  "synced",
  "sync_changed",
  "sync_held",
  "sync_provider_silent",
  "sync_not_readable",
  "sync_sign_in",
  "sync_failed",
  "sync_too_soon",
  "session_ended",
  "sessions_ended",
] as const;

/** One of `NOTICES`. */
export type Notice = (typeof NOTICES)[number];

/** The same on the pages of administrators. */
export const ADMIN_NOTICES = [
  "synced",
  "sync_changed",
  "sync_held",
  "sync_provider_silent",
  "sync_not_readable",
  "sync_sign_in",
  "sync_failed",
  "sync_too_soon",
  "unlinked",
  "unlinked_later",
  "unlinked_role",
  "banned",
  "banned_later",
  "banned_role",
  "ban_lifted",
  "ban_over",
  "sessions_ended",
  "released",
  "reason_refused",
] as const;

/** One of `ADMIN_NOTICES`. */
export type AdminNotice = (typeof ADMIN_NOTICES)[number];

/** Those of a request that did what it should. */
export const ADMIN_DONE: readonly AdminNotice[] = [
  "synced",
  "sync_changed",
  "unlinked",
  "banned",
  "ban_lifted",
  "sessions_ended",
  "released",
];

/** How long a notice waits for the page that the browser loads next. */
export const NOTICE_TTL_SECONDS = 60;

const PLACE = "notice";
const ADMIN_PLACE = "admin notice";

const shape = v.object({ notice: v.picklist(NOTICES), madeAt: v.number() });
const adminShape = v.object({ notice: v.picklist(ADMIN_NOTICES), madeAt: v.number() });

/** Seals a notice. */
export const sealNotice = (deps: Needs, notice: Notice): string => sealShown(deps, PLACE, { notice });

/** The notice; undefined if it is not ours or too old. */
export function openNotice(deps: Needs, sealed: string): Notice | undefined {
  const opened = v.safeParse(shape, openShown(deps, PLACE, sealed));
  if (!opened.success) return undefined;
  const { notice, madeAt } = opened.output;
  return isYoung(deps, madeAt, NOTICE_TTL_SECONDS) ? notice : undefined;
}

/** Seals a notice for an administrator. */
export const sealAdminNotice = (deps: Needs, notice: AdminNotice): string =>
  sealShown(deps, ADMIN_PLACE, { notice });

/** The notice for an administrator; undefined if it is not ours or too old. */
export function openAdminNotice(deps: Needs, sealed: string): AdminNotice | undefined {
  const opened = v.safeParse(adminShape, openShown(deps, ADMIN_PLACE, sealed));
  if (!opened.success) return undefined;
  const { notice, madeAt } = opened.output;
  return isYoung(deps, madeAt, NOTICE_TTL_SECONDS) ? notice : undefined;
}
