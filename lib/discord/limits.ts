/**
 * Limits, as Discord's answers speak of them: whose calls a 429 is about and for how long, and whether Cloudflare, in front
 * of Discord, has blocked this address. `retries.ts` decides what follows for a call, `sync/` what follows for others.
 * https://docs.discord.com/developers/topics/rate-limits
 */
import * as v from "valibot";
import { capRetryAfter, retryAfterSeconds } from "../oauth/outage.ts";
import type { Answer, Limit } from "../oauth/upstream.ts";
import { parseJson } from "../oauth/upstream.ts";

/** Cloudflare's own page names no time to wait. */
const CLOUDFLARE_WAIT_SECONDS = 60;

/** Answers that Discord counts: after 10,000 of them in ten minutes it blocks the address. */
const REFUSALS: readonly number[] = [401, 403, 429];
/** The statuses of Cloudflare's pages. */
const PAGE_STATUSES: readonly number[] = [403, 429, 503];

const rateLimited = v.object({
  retry_after: v.pipe(v.number(), v.minValue(0)),
  global: v.optional(v.boolean()),
});

/** Whether an answer is one of those that Discord counts against the address. */
export const isRefusal = ({ status }: Answer): boolean => REFUSALS.includes(status);

/** Whether an answer shows that the address is not blocked. */
export const isGood = (answer: Answer): boolean =>
  answer.status >= 200 && answer.status < 300 && !isPage(answer);

/** The limit that an answer speaks of; undefined if it speaks of none, or does not say of which. */
export function readLimit(answer: Answer): Limit | undefined {
  if (PAGE_STATUSES.includes(answer.status) && isPage(answer)) return "address";
  if (answer.status !== 429) return undefined;
  const scope = answer.headers.get("x-ratelimit-scope");
  const said = v.safeParse(rateLimited, parseJson(answer.text));
  const isGlobal = said.success ? said.output.global : undefined;
  if (scope === "global" || answer.headers.get("x-ratelimit-global") === "true" || isGlobal === true)
    return "global";
  return scope === "user" || scope === "shared" || isGlobal === false ? "member" : undefined;
}

/** Seconds to wait after a 429. If the answer names none, it is a block that lasts. */
export function readWaitSeconds(answer: Answer): number {
  const said = v.safeParse(rateLimited, parseJson(answer.text));
  const fromBody = said.success ? capRetryAfter(said.output.retry_after) : undefined;
  return retryAfterSeconds(answer) ?? fromBody ?? CLOUDFLARE_WAIT_SECONDS;
}

/** A page for people, or Cloudflare's "error code: 1015". Discord's own answers are JSON. */
function isPage({ headers, text }: Answer): boolean {
  if (parseJson(text) !== undefined) return false;
  if (/^\s*</.test(text) || /\berror code: 1\d{3}\b/i.test(text)) return true;
  // A 204 of Discord's has the type of a page, and no body. https://github.com/discord/discord-api-docs/issues/5887
  const isTyped = /^\s*text\/html\b/i.test(headers.get("content-type") ?? "");
  return isTyped && (text !== "" || headers.has("content-encoding"));
}
