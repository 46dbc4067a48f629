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

/** How long a notice waits for the page that the browser loads next. */
export const NOTICE_TTL_SECONDS = 60;

const PLACE = "notice";

const shape = v.object({ notice: v.picklist(NOTICES), madeAt: v.number() });

/** Seals a notice. */
export const sealNotice = (deps: Needs, notice: Notice): string => sealShown(deps, PLACE, { notice });

/** The notice; undefined if it is not ours or too old. */
export function openNotice(deps: Needs, sealed: string): Notice | undefined {
  const opened = v.safeParse(shape, openShown(deps, PLACE, sealed));
  if (!opened.success) return undefined;
  const { notice, madeAt } = opened.output;
  return isYoung(deps, madeAt, NOTICE_TTL_SECONDS) ? notice : undefined;
}
