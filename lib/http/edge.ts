/**
 * Where requests come in: their id, who asks and how often, how many are under way, their bodies, and a line in the log
 * for each. `index.ts` makes its routes with it. What becomes of an error is in `http.ts`; it knows no link.
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
import type { ReadForm } from "./form.ts";
import { createFormReader, dropBody, hasTooLargeBody, hasUnreadBody } from "./form.ts";
import { createRateLimit, createReminder } from "./rate_limit.ts";
import type { Exchange, FormHandler, Handler } from "./response.ts";
import { errorResponse, isFloodError } from "./response.ts";

/** A route as Elysia lists it. */
type Route = { readonly method: string; readonly path: string };

/** Asked by machines every few seconds, in need above all: neither limited nor written down. */
const PROBES: readonly string[] = ["/healthz", "/readyz"];

/** More than this process can answer well at once, each waiting for the database or an upstream. */
const MAX_IN_FLIGHT = 1_000;

/** What others may call their requests: no longer than needed, and nothing that a log or a page could misread. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._=-]{7,63}$/;

/** Makes what `index.ts` builds its routes with. */
export function createEdge(deps: Deps) {
  const guard = createGuard(deps);
  const readForm = createFormReader();
  const unknown = createRunner(deps, guard, "unknown");
  return {
    /** A route's handler. What it throws becomes a response. It waits for no body, and refuses one over the cap. */
    on: (route: string, handler: Handler) => {
      const { run } = createRunner(deps, guard, route);
      return ({ request }: { readonly request: Request }): Response | Promise<Response> => {
        const isTooLarge = hasTooLargeBody(request);
        dropBody(request);
        return run(isTooLarge ? refuseBody : handler, request);
      };
    },

    /** The handler of a route that takes a form. The form is read only if nothing refuses the request before. */
    onForm: (route: string, handler: FormHandler) => {
      const { runForm } = createRunner(deps, guard, route);
      return ({ request }: { readonly request: Request }): Promise<Response> =>
        runForm(handler, request, readForm);
    },

    /** What Elysia has no route for: 404, or 405 where another method has one. RFC 9110 15.5.6 */
    fail: (request: Request, code: unknown, error: unknown, routes: readonly Route[]) => {
      dropBody(request);
      return unknown.run(() => failRequest(request, code, error, routes), request);
    },
  };
}

/** Makes what runs the handlers of one route. */
function createRunner(deps: Deps, guard: Guard, route: string) {
  const { log } = deps;
  const isProbe = PROBES.includes(route);
  const logRequest = log.prepare(isProbe ? "debug" : "info", "request", { route });
  const logQuietly = log.prepare("debug", "request", { route });
  const begin = (request: Request): Begun => ({
    startedAt: performance.now(),
    exchange: { request, route, requestId: readRequestId(request) },
  });

  const finish = ({ exchange, startedAt }: Begun, response: Response, write = logRequest): Response => {
    const { request, requestId } = exchange;
    const { status } = response;
    const durationMs = Math.round(performance.now() - startedAt);
    write({ requestId, method: request.method, status, durationMs });
    return release(deps, request, response);
  };
  const fail = (begun: Begun, failure: unknown): Response => {
    const error = asJanusError(failure);
    const response = errorResponse(deps, begun.exchange, error);
    return finish(begun, response, isFloodError(error) ? logQuietly : logRequest);
  };
  const finishLater = async (begun: Begun, answer: Promise<Response>): Promise<Response> => {
    // A probe keeps nobody out.
    const leave = isProbe ? undefined : guard.enter();
    try {
      return finish(begun, await answer);
    } catch (error) {
      return fail(begun, error);
    } finally {
      leave?.();
    }
  };
  const answer = (begun: Begun, work: () => Response | Promise<Response>): Response | Promise<Response> => {
    try {
      const response = work();
      return response instanceof Promise ? finishLater(begun, response) : finish(begun, response);
    } catch (error) {
      return fail(begun, error);
    }
  };

  return {
    run: (handler: Handler, request: Request): Response | Promise<Response> => {
      const begun = begin(request);
      return answer(begun, () => {
        if (!isProbe) guard.check(request);
        return handler(deps, begun.exchange);
      });
    },
    runForm: async (handler: FormHandler, request: Request, readForm: ReadForm): Promise<Response> => {
      const begun = begin(request);
      const { exchange } = begun;
      let form: URLSearchParams;
      try {
        guard.check(request);
        if (hasTooLargeBody(request)) refuseBody();
        handler.admit(deps, exchange);
        form = await readForm(request, guard.subscriberOf(request) ?? "");
      } catch (error) {
        dropBody(request);
        return fail(begun, error);
      }
      return answer(begun, () => {
        // While the form was waiting it did not count as under way, and too many others may be now.
        guard.checkLoad();
        return handler.handle(deps, exchange, form);
      });
    },
  };
}

/** A request, and when it came in. */
type Begun = { readonly exchange: Exchange; readonly startedAt: number };

/** Prepares the connection for its end, if it is not to be kept. */
function release({ stopping, hurry }: Deps, request: Request, response: Response): Response {
  // Whoever keeps the connection for the next request is to make it elsewhere.
  if (stopping.aborted) response.headers.set("connection", "close");
  if (hasUnreadBody(request)) hurry(request);
  return response;
}

/** Keeps requests out. Each throws what they are refused with. */
type Guard = {
  /** Refuses a subscriber that asks too often, and everybody while too many requests are under way. */
  readonly check: (request: Request) => void;
  readonly checkLoad: () => void;
  /** Counts a request as under way until the returned function is called. */
  readonly enter: () => () => void;
  /** Who asks; undefined if the connection is gone already. */
  readonly subscriberOf: (request: Request) => string | undefined;
};

/** Makes it; it says whom it keeps out in the log, once a minute for each. */
function createGuard({ config, log, peerAddress }: Deps): Guard {
  const limit = createRateLimit(config.rateLimitPerMinute);
  const mayMention = createReminder();
  let underWay = 0;
  const findClient = createClientAddress(config.trustedProxies, (peer) => {
    if (mayMention("proxy")) log.warn("proxy_not_trusted", { peer, reason: UNTRUSTED });
  });
  const findSubscriber = (request: Request): string | undefined => {
    const peer = peerAddress(request);
    return peer === undefined ? undefined : subscriberOf(findClient(peer, request));
  };
  const checkLoad = (): void => {
    if (underWay < MAX_IN_FLIGHT) return;
    if (mayMention("busy")) log.warn("too_busy", { count: underWay });
    throw tooBusy();
  };
  return {
    check: (request) => {
      const refusal = limit(() => findSubscriber(request));
      if (refusal !== undefined) {
        if (mayMention(refusal.address)) log.warn("address_limited", { peer: refusal.address });
        throw tooManyRequests(refusal.retryAfterSeconds);
      }
      checkLoad();
    },
    checkLoad,
    enter: () => {
      underWay += 1;
      return () => {
        underWay -= 1;
      };
    },
    subscriberOf: findSubscriber,
  };
}

const UNTRUSTED =
  "X-Forwarded-For from an address that is not in TRUSTED_PROXIES: all its clients share one limit";

function readRequestId(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && SANE_ID.test(given) ? given : crypto.randomUUID();
}

function refuseBody(): never {
  throw requestTooLarge("a body that no form needs");
}

function failRequest(request: Request, code: unknown, error: unknown, routes: readonly Route[]): never {
  if (code !== "NOT_FOUND") throw error;
  // A Host that is none makes an address that nobody can parse.
  const segments = (URL.parse(request.url)?.pathname ?? "").split("/", MAX_SEGMENTS);
  const methods = routes.filter(({ path }) => matches(path, segments)).map(({ method }) => method);
  if (methods.length === 0) throw notFound();
  throw methodNotAllowed(methods.join(", "));
}

/** More than any route has. */
const MAX_SEGMENTS = 10;

/** Whether a path is one of a route's, whose `:name` stands for one segment. */
function matches(route: string, theirs: readonly string[]): boolean {
  const ours = route.split("/");
  return (
    ours.length === theirs.length &&
    ours.every((part, index) => part.startsWith(":") || part === theirs[index])
  );
}
