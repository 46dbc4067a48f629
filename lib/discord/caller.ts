/**
 * Calls to Discord's API that may be repeated: after no answer, or one that is not Discord's word, with jitter; after a
 * 429 as long as it says, up to a cap. A token request, which may not be repeated, does not come here.
 * https://discord.com/developers/docs/topics/rate-limits
 */
import * as v from "valibot";
import type { JanusError } from "../errors.ts";
import {
  asJanusError,
  discordRateLimited,
  discordRefused,
  discordUnavailable,
  grantEnded,
} from "../errors.ts";
import type { Answer, Upstream, UpstreamRequest } from "../oauth/upstream.ts";
import { capRetryAfter, hasTimeFor, parseJson, retryAfterSeconds, send } from "../oauth/upstream.ts";

const MAX_ATTEMPTS = 3;
const RETRY_BASE_MS = 250;
const MAX_WAIT_SECONDS = 5;
const CLOUDFLARE_WAIT_SECONDS = 60;

const rateLimited = v.object({ retry_after: v.pipe(v.number(), v.minValue(0)) });

/** Codes by which Discord itself says "not now": the network within it, and its overload. */
const PASSING_CODES: readonly number[] = [40_333, 130_000];
/** Below lie the statuses that gateways put into a `code` of their own. Discord's begin here, but for a plain 0. */
const LEAST_CODE = 10_000;
/** https://discord.com/developers/docs/reference#error-messages */
const discordError = v.object({
  message: v.string(),
  code: v.pipe(
    v.number(),
    v.integer(),
    v.check((code) => (code === 0 || code >= LEAST_CODE) && !PASSING_CODES.includes(code)),
  ),
});
const jsonBody = v.looseObject({});

/** One call by its name, with who it is for; the answer is of a 2xx. */
export type Caller = (
  operation: string,
  method: "GET" | "PUT" | "DELETE",
  path: string,
  authorization: string,
  body?: object,
) => Promise<Answer>;

/** Makes the caller of one API. Throws grant_ended, discord_refused, discord_rate_limited, discord_unavailable. */
export function createCaller(
  upstream: Upstream,
  { apiUrl, sleep }: { readonly apiUrl: string; readonly sleep: (ms: number) => Promise<void> },
): Caller {
  return async (operation, method, path, authorization, body) => {
    const headers: Record<string, string> = { authorization, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const init: UpstreamRequest = {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    for (let attempt = 1; ; attempt++) {
      const result = await tryOnce(upstream, operation, apiUrl + path, init, attempt - 1);
      if ("answer" in result) return result.answer;
      const least = result.waitSeconds * 1_000 || RETRY_BASE_MS * 2 ** (attempt - 1);
      const wait = least + Math.random() * RETRY_BASE_MS;
      if (attempt === MAX_ATTEMPTS || !hasTimeFor(upstream, wait)) throw result.error;
      await sleep(wait);
    }
  };
}

type Try = { readonly answer: Answer } | { readonly error: JanusError; readonly waitSeconds: number };

/** One attempt: an answer, or an error after which another attempt makes sense. Throws where it makes none. */
async function tryOnce(
  upstream: Upstream,
  operation: string,
  url: string,
  init: UpstreamRequest,
  retries: number,
): Promise<Try> {
  let answer: Answer;
  try {
    answer = await send(upstream, operation, url, init, retries);
  } catch (error) {
    return { error: asJanusError(error), waitSeconds: 0 };
  }
  const { status } = answer;
  if (status === 429) {
    const waitSeconds = readRateLimit(answer);
    const error = discordRateLimited(
      `${operation}: answered 429, to wait ${waitSeconds} seconds`,
      waitSeconds,
    );
    if (waitSeconds > MAX_WAIT_SECONDS) throw error;
    return { error, waitSeconds };
  }
  if (status >= 500)
    return retryAfterFault(`${operation}: answered ${status}`, retryAfterSeconds(answer) ?? 0);
  if (!isDiscordsWord(answer)) {
    const reason = `${operation}: answered ${status}, and not as Discord does`;
    return retryAfterFault(reason, retryAfterSeconds(answer) ?? 0);
  }
  if (status < 300 || (status === 404 && init.method === "DELETE")) return { answer };
  if (status === 401) throw grantEnded(`${operation}: answered 401`);
  throw discordRefused(`${operation}: answered ${status}`);
}

/**
 * Whether Discord itself gave the answer. Firewalls, proxies and login pages of networks answer in its place, with any
 * status: their 401 ends no grant, their 403 refuses nothing, and their 200 has done nothing.
 */
function isDiscordsWord({ status, text }: Answer): boolean {
  if (status === 204) return true;
  return v.is(status < 300 ? jsonBody : discordError, parseJson(text));
}

function retryAfterFault(reason: string, waitSeconds: number): Try {
  const error =
    waitSeconds === 0
      ? discordUnavailable(reason)
      : discordUnavailable(reason, { retryAfterSeconds: waitSeconds });
  if (waitSeconds > MAX_WAIT_SECONDS) throw error;
  return { error, waitSeconds };
}

/** Seconds to wait after a 429. Cloudflare's own page has no number: a block lasts, so the wait is over the cap. */
function readRateLimit(answer: Answer): number {
  const parsed = v.safeParse(rateLimited, parseJson(answer.text));
  const fromBody = parsed.success ? capRetryAfter(parsed.output.retry_after) : undefined;
  return retryAfterSeconds(answer) ?? fromBody ?? CLOUDFLARE_WAIT_SECONDS;
}
