/**
 * What a browser keeps for the next page that it loads: a text under COOKIE_SECRET that only Janus can read or make, with the
 * time when it was made. It opens only at the place that it was sealed for, and the caller says for how long.
 */
import type { WorkDeps } from "../deps.ts";
import { parseJson } from "../oauth/upstream.ts";

/** What sealing works with. */
export type Needs = Pick<WorkDeps, "cookieSealer" | "now">;

/** The largest that is opened: no browser keeps a larger cookie. RFC 6265 6.1 */
const MAX_LENGTH = 4_096;

/** Seals it for a place. `content` must be data that JSON can hold. */
export function sealShown({ cookieSealer, now }: Needs, place: string, content: object): string {
  return cookieSealer.seal(JSON.stringify({ ...content, madeAt: now().getTime() }), place);
}

/** What was sealed for this place; undefined if it was not, or is altered. Its shape is for the caller to check. */
export function openShown({ cookieSealer }: Needs, place: string, sealed: string): unknown {
  const text = sealed.length > MAX_LENGTH ? undefined : cookieSealer.open(sealed, place);
  return text === undefined ? undefined : parseJson(text);
}

/** Whether it was made no longer ago than this. */
export function isYoung({ now }: Needs, madeAt: number, seconds: number): boolean {
  return now().getTime() - madeAt <= seconds * 1_000;
}
