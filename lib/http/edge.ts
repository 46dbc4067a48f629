/**
 * Where requests come in: their id, who asks and how often, how many are under way, and a line in the log for each.
 * Called by `index.ts`, whose routes it makes. What becomes of an error is in `http.ts`; it knows no link.
 */
import type { Deps } from "../deps.ts";
import {
  asJanusError,
  methodNotAllowed,
  notFound,
  requestTooLarge,
  tooBusy,
  tooManyRequests,
} from "../errors.ts";
import { createClientAddress, subscriberOf } from "./client_address.ts";
import type { Exchange, Handler } from "./http.ts";
import { errorResponse, isOfFlood, MAX_FORM_BYTES } from "./http.ts";
import { createRateLimit, createReminder } from "./rate_limit.ts";

/** A route as Elysia lists it. */
type Route = { readonly method: string; readonly path: string };

/** Asked by machines every few seconds, in need above all: neither limited nor written down. */
const PROBES: readonly string[] = ["/healthz", "/readyz"];

/** More than this process can answer well at once, each waiting for the database or an upstream. */
const MAX_UNDER_WAY = 1_000;

/** What others may call their requests: no longer than needed, and nothing that a log or a page could misread. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._=-]{7,63}$/;

/** Makes what `index.ts` builds its routes with. */
export function createEdge(deps: Deps) {
  const guard = createGuard(deps);
  const load: Load = { underWay: 0 };
  const unknown = createRunner(deps, guard, load, "unknown");
  return {
    /** A route's handler: what it throws becomes a response here. A body that no form needs is refused. */
    on: (route: string, handler: Handler) => {
      const run = createRunner(deps, guard, load, route);
      return ({ request }: { readonly request: Request }): Response | Promise<Response> =>
        run(hasTooLargeBody(request) ? refuseBody : handler, request);
    },

    /** What Elysia has no route for: 404, or 405 where another method has one. RFC 9110 15.5.6 */
    fail: (request: Request, code: unknown, error: unknown, routes: readonly Route[]) =>
      unknown(() => failRequest(request, code, error, routes), request),
  };
}

/** How much is under way in this process. */
type Load = { underWay: number };
type Guard = (request: Request, load: Load) => void;

/** Makes what runs the handlers of one route. */
function createRunner(deps: Deps, guard: Guard, load: Load, route: string) {
  const { log, stopping } = deps;
  const isProbe = PROBES.includes(route);
  const tell = log.prepare(isProbe ? "debug" : "info", "request", { route });
  const whisper = log.prepare("debug", "request", { route });

  const finish = (
    { request, requestId }: Exchange,
    startedAt: number,
    response: Response,
    write = tell,
  ): Response => {
    const { status } = response;
    const durationMs = Math.round(performance.now() - startedAt);
    write({ requestId, method: request.method, status, durationMs });
    // Whoever keeps the connection for the next request is to make it elsewhere.
    if (stopping.aborted) response.headers.set("connection", "close");
    return response;
  };
  const fail = (exchange: Exchange, startedAt: number, failure: unknown): Response => {
    const error = asJanusError(failure);
    const response = errorResponse(deps, exchange, error);
    return finish(exchange, startedAt, response, isOfFlood(error) ? whisper : tell);
  };
  const finishLater = async (
    exchange: Exchange,
    startedAt: number,
    answer: Promise<Response>,
  ): Promise<Response> => {
    // A probe keeps nobody out.
    if (!isProbe) load.underWay += 1;
    try {
      return finish(exchange, startedAt, await answer);
    } catch (error) {
      return fail(exchange, startedAt, error);
    } finally {
      if (!isProbe) load.underWay -= 1;
    }
  };
  const answer = (handler: Handler, exchange: Exchange, startedAt: number): Response | Promise<Response> => {
    try {
      if (!isProbe) guard(exchange.request, load);
      const response = handler(deps, exchange);
      return response instanceof Promise
        ? finishLater(exchange, startedAt, response)
        : finish(exchange, startedAt, response);
    } catch (error) {
      return fail(exchange, startedAt, error);
    }
  };

  return (handler: Handler, request: Request): Response | Promise<Response> => {
    const startedAt = performance.now();
    const exchange = { request, route, requestId: readRequestId(request) };
    return answer(handler, exchange, startedAt);
  };
}

/** Keeps out whoever asks too often, and all while too many are under way; says so in the log, once a minute for each. */
function createGuard({ config, log, peerAddress }: Deps): Guard {
  const limit = createRateLimit(config.rateLimitPerMinute);
  const mayMention = createReminder();
  const findClient = createClientAddress(config.trustedProxies, (peer) => {
    if (mayMention("proxy")) log.warn("proxy not trusted", { peer, reason: UNTRUSTED });
  });
  return (request, { underWay }) => {
    const refusal = limit(() => {
      const peer = peerAddress(request);
      // Gone already: nobody will read the answer.
      return peer === undefined ? undefined : subscriberOf(findClient(peer, request));
    });
    if (refusal !== undefined) {
      if (mayMention(refusal.address)) log.warn("address limited", { peer: refusal.address });
      throw tooManyRequests(refusal.retryAfterSeconds);
    }
    if (underWay < MAX_UNDER_WAY) return;
    if (mayMention("busy")) log.warn("too busy", { count: underWay });
    throw tooBusy();
  };
}

const UNTRUSTED =
  "X-Forwarded-For from an address that is not in TRUSTED_PROXIES: all its clients share one limit";

function readRequestId(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && SANE_ID.test(given) ? given : crypto.randomUUID();
}

/** What there is, are forms of a few fields. The body of a GET has no meaning: Bun skips it. RFC 9110 9.3.1 */
function hasTooLargeBody(request: Request): boolean {
  return request.method !== "GET" && Number(request.headers.get("content-length") ?? 0) > MAX_FORM_BYTES;
}

function refuseBody(): never {
  throw requestTooLarge("a body that no form needs");
}

function failRequest(request: Request, code: unknown, error: unknown, routes: readonly Route[]): never {
  if (code !== "NOT_FOUND") throw error;
  // A Host that is none makes an address that nobody can parse.
  const pathname = URL.parse(request.url)?.pathname;
  const methods = routes.filter(({ path }) => matches(path, pathname ?? "")).map(({ method }) => method);
  if (methods.length === 0) throw notFound();
  throw methodNotAllowed(methods.join(", "));
}

/** Whether a path is one of a route's, whose `:name` stands for one segment. */
function matches(route: string, pathname: string): boolean {
  const [ours, theirs] = [route.split("/"), pathname.split("/")];
  return (
    ours.length === theirs.length &&
    ours.every((part, index) => part.startsWith(":") || part === theirs[index])
  );
}
