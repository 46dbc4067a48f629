/**
 * Calls to Discord's API that may be repeated: with jitter after no answer, or after one that is not Discord's own;
 * after a 429 when it says, up to a cap. Token requests may not be repeated and do not come here.
 * https://discord.com/developers/docs/topics/rate-limits
 */
import type { JanusError } from "../errors.ts";
import {
  asJanusError,
  discordRateLimited,
  discordRefused,
  discordUnavailable,
  grantEnded,
} from "../errors.ts";
import { hasTimeFor } from "../oauth/budget.ts";
import { isOutage, retryAfterSeconds } from "../oauth/outage.ts";
import type { Answer, Limit, Upstream, UpstreamRequest } from "../oauth/upstream.ts";
import { parseJson, send } from "../oauth/upstream.ts";
import { isEmpty, isError, readRefusal } from "./answers.ts";
import { readLimit, readWaitSeconds } from "./limits.ts";

const MAX_ATTEMPTS = 3;
const RETRY_BASE_MS = 250;
const MAX_WAIT_SECONDS = 5;

/** One call by its name, with the credentials that it is made with. */
type Call = {
  readonly operation: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly authorization: string;
  readonly body?: object;
  /** The one status that Discord documents for success. */
  readonly status: 200 | 204;
  /** Another one, of a call that creates what it does not find. */
  readonly createdStatus?: 201;
  /** Whether a body, parsed as JSON, has the shape that Discord documents for success. */
  readonly isRight: (body: unknown) => boolean;
};

/** Makes a call, and gives the answer once Discord has done what it asks. */
export type Caller = (call: Call) => Promise<Answer>;

/** Makes the caller of one API. Throws grant_ended, discord_refused, discord_rate_limited, discord_unavailable. */
export function createCaller(
  upstream: Upstream,
  { apiUrl, sleep }: { readonly apiUrl: string; readonly sleep: (ms: number) => Promise<void> },
): Caller {
  return async (call) => {
    const { method, body } = call;
    const headers: Record<string, string> = {
      authorization: call.authorization,
      accept: "application/json",
    };
    if (body !== undefined) headers["content-type"] = "application/json";
    const init: UpstreamRequest = {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    for (let attempt = 1; ; attempt++) {
      const result = await tryOnce(upstream, call, apiUrl + call.path, init, attempt - 1);
      if ("answer" in result) return result.answer;
      const least = result.waitSeconds * 1_000 || RETRY_BASE_MS * 2 ** (attempt - 1);
      const wait = least + Math.random() * RETRY_BASE_MS;
      if (attempt === MAX_ATTEMPTS || !hasTimeFor(upstream, wait)) throw result.error;
      await sleep(wait);
    }
  };
}

type Try = { readonly answer: Answer } | { readonly error: JanusError; readonly waitSeconds: number };

/** One attempt. Throws where another one makes no sense. */
async function tryOnce(
  upstream: Upstream,
  call: Call,
  url: string,
  init: UpstreamRequest,
  retries: number,
): Promise<Try> {
  let answer: Answer;
  try {
    answer = await send(upstream, call.operation, url, init, retries);
  } catch (error) {
    const failure = asJanusError(error);
    // Another attempt would have to wait for the same limit.
    if (failure.limit !== undefined) throw failure;
    return { error: failure, waitSeconds: 0 };
  }
  return readAnswer(call, answer);
}

/** Reads an answer: the call is done, or may be tried again. Throws if Discord refuses or asks for too long a wait. */
function readAnswer(call: Call, answer: Answer): Try {
  const { operation, method } = call;
  const { status } = answer;
  const limit = readLimit(answer);
  if (status === 429) {
    const waitSeconds = readWaitSeconds(answer);
    const error = discordRateLimited(
      `${operation}: answered 429, asking for a wait of ${waitSeconds} seconds`,
      waitSeconds,
      limit,
    );
    if (waitSeconds > MAX_WAIT_SECONDS) throw error;
    return { error, waitSeconds };
  }
  if (isOutage(status))
    return retryAfterFault(`${operation}: answered ${status}`, retryAfterSeconds(answer) ?? 0, limit);
  if (isDone(call, answer)) return { answer };
  const refusal = readRefusal(answer);
  if (refusal === undefined) {
    const reason = `${operation}: answered ${status}, but the answer is not Discord's`;
    return retryAfterFault(reason, retryAfterSeconds(answer) ?? 0, limit);
  }
  if (refusal === "unknown" && method === "DELETE") return { answer };
  if (refusal === "unknown_token") throw grantEnded(`${operation}: answered 401`);
  throw discordRefused(`${operation}: answered ${status}`);
}

/**
 * Whether Discord says that it has done what the call asks. A proxy or a network's login page may also answer with a
 * 2xx, and has done nothing.
 */
function isDone({ status, createdStatus, isRight }: Call, answer: Answer): boolean {
  if (answer.status !== status && answer.status !== createdStatus) return false;
  if (status === 204) return isEmpty(answer);
  const body = parseJson(answer.text);
  return !isError(body) && isRight(body);
}

function retryAfterFault(reason: string, waitSeconds: number, limit: Limit | undefined): Try {
  const error = discordUnavailable(reason, {
    ...(limit === undefined ? {} : { limit }),
    ...(waitSeconds === 0 ? {} : { retryAfterSeconds: waitSeconds }),
  });
  if (waitSeconds > MAX_WAIT_SECONDS) throw error;
  return { error, waitSeconds };
}
