/**
 * Where requests come in. This room owns what lies between a socket and a handler: ids, bodies, cookies, who is kept out,
 * responses, and a line in the log for each request.
 *
 *   every route            createEdge().on     in `index.ts`, with the handler of its room
 *   any other request      createEdge().fail   404, or 405 with the methods that the path has
 *
 * Who is kept out is decided in `limits.ts`, how an error looks in `error_response.ts`, and what a route does in the
 * `handlers.ts` of each room. Sockets are left to `server/listener.ts`, pages to `pages/`.
 */
import type { Deps, Shared } from "../deps.ts";
import { depsOf } from "../deps.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError, methodNotAllowed, notFound, requestTooLarge } from "../errors.ts";
import type { LogFields } from "../telemetry/log.ts";
import { dropBody, hasTooLargeBody, hasUnreadBody } from "./body.ts";
import { errorResponse, isFloodError, logError, problemResponse } from "./error_response.ts";
import type { ReadForm } from "./form.ts";
import { createFormReader } from "./form.ts";
import type { Limits } from "./limits.ts";
import { createLimits } from "./limits.ts";
import { observe } from "./observe.ts";
import type { EventHandler, Exchange, FormHandler, Handler } from "./response.ts";
import type { SourceLimits } from "./source_limits.ts";
import { createSourceLimits } from "./source_limits.ts";

/** What answers a route. */
type AnyHandler = Handler | FormHandler | EventHandler;

/** A route: how it is asked for, and what answers it. */
export type Route = readonly [
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  handler: AnyHandler,
];

/** What the edge asks of the server that listens. */
export type Listener = {
  /** The address that a request's connection comes from; undefined once it is gone. */
  readonly peerAddress: (request: Request) => string | undefined;
  /** Closes the request's connection unless it is used again within seconds. */
  readonly hurry: (request: Request) => void;
  /** Aborted when the server is told to stop: it still answers, and sends clients elsewhere. */
  readonly stopping: AbortSignal;
};

/** Answers a request. */
export type Answer = (request: Request) => Response | Promise<Response>;

/** Turns handlers into answers. What they throw becomes a response. */
export type Edge = {
  readonly on: (path: string, handler: AnyHandler) => Answer;
  /** Answers what has no route: 404, or 405 where the path has other methods. RFC 9110 15.5.6 */
  readonly fail: (request: Request, code: unknown, error: unknown) => Response | Promise<Response>;
};

/** Health probes: exempt from rate limits, logged at debug. */
const PROBES: readonly string[] = ["/healthz", "/readyz"];

/** What others may call their requests: no longer than needed, and nothing that a log or a page could misread. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._=-]{7,63}$/;

/** Makes the edge of one process. */
export function createEdge(shared: Shared, listener: Listener, routes: readonly Route[]): Edge {
  const limits = createLimits(shared, listener.peerAddress);
  const readForm = createFormReader();
  const limitsOf = createSourceLimits();
  const place = (route: string): Place => {
    const isProbe = PROBES.includes(route);
    const logQuietly = shared.log.prepare("debug", "request", { route });
    const logRequest = isProbe ? logQuietly : shared.log.prepare("info", "request", { route });
    return { shared, listener, limits, readForm, route, isProbe, logRequest, logQuietly };
  };
  const watched = ({ route, isProbe }: Place, answer: Answer): Answer =>
    observe(shared.instruments, { route, isTraced: !isProbe }, answer);
  const answerOf = (here: Place, handler: AnyHandler): Answer => {
    if (typeof handler === "function") return (request) => answerPlain(here, request, handler);
    if ("handle" in handler) return (request) => answerForm(here, request, handler);
    const limits = limitsOf(handler.source);
    return (request) => answerEvent(here, request, handler, limits);
  };
  const nowhere = place("unknown");
  return {
    on: (path, handler) => {
      const here = place(path);
      return watched(here, answerOf(here, handler));
    },
    fail: (request, code, error) => {
      const answer: Answer = () =>
        answerPlain(nowhere, request, () => {
          if (code !== "NOT_FOUND") throw error;
          throw findFault(request, routes);
        });
      return watched(nowhere, answer)(request);
    },
  };
}

/** A route at work. */
type Place = {
  readonly shared: Shared;
  readonly listener: Listener;
  readonly limits: Limits;
  readonly readForm: ReadForm;
  readonly route: string;
  readonly isProbe: boolean;
  readonly logRequest: (fields: LogFields) => void;
  readonly logQuietly: (fields: LogFields) => void;
};

/** A request under way. */
type Begun = {
  readonly deps: Deps;
  readonly exchange: Exchange;
  readonly startedAt: number;
  /** Makes the response of an error, where the route has its own way. */
  readonly refuse?: EventHandler["refuse"];
};

/** Answers without the request's body: it is dropped as it arrives, and refused if it is over the cap. */
function answerPlain(place: Place, request: Request, handler: Handler): Response | Promise<Response> {
  const begun = begin(place, request);
  const isTooLarge = hasTooLargeBody(request);
  dropBody(request);
  return answer(place, begun, () => {
    if (!place.isProbe) place.limits.check(request);
    if (isTooLarge) throw requestTooLarge("a body that nothing needs");
    return handler(begun.deps, begun.exchange);
  });
}

/** Reads the form once nothing in the head refuses the request. */
async function answerForm(place: Place, request: Request, handler: FormHandler): Promise<Response> {
  const { limits, readForm, shared } = place;
  const begun = begin(place, request);
  const { exchange } = begun;
  let form: URLSearchParams;
  try {
    limits.check(request);
    if (hasTooLargeBody(request)) throw requestTooLarge("a body over the cap");
    handler.admit(begun.deps, exchange);
    form = await readForm(request, limits.subscriberOf(request) ?? "");
  } catch (error) {
    dropBody(request);
    return fail(place, begun, error);
  }
  return answer(place, begun, () => {
    // While the form was on its way the request did not count as under way, and its budget must not have run.
    limits.checkLoad();
    return handler.handle(depsOf(shared, exchange.requestId), exchange, form);
  });
}

/**
 * Reads the body of an event, once nothing in the head refuses it. Its source has limits of its own, so neither its address
 * nor the number of members' requests counts.
 */
async function answerEvent(
  place: Place,
  request: Request,
  handler: EventHandler,
  limits: SourceLimits,
): Promise<Response> {
  const { shared } = place;
  const { deps, exchange, startedAt } = begin(place, request);
  const begun = { deps, exchange, startedAt, refuse: handler.refuse ?? problemResponse };
  let body: Buffer<ArrayBuffer>;
  try {
    if (hasTooLargeBody(request, handler.maxBytes)) throw requestTooLarge("a body over the cap");
    const refusal = handler.admit(deps, exchange);
    if (refusal !== undefined) {
      dropBody(request);
      return finish(place, begun, refusal);
    }
    body = await limits.readBody(request, place.limits.subscriberOf(request) ?? "", handler.maxBytes);
  } catch (error) {
    dropBody(request);
    return fail(place, begun, error);
  }
  let leave: (() => void) | undefined;
  try {
    leave = limits.enter();
    // While the body was on its way, the time budget of the request must not have run.
    return finish(place, begun, await handler.receive(depsOf(shared, exchange.requestId), exchange, body));
  } catch (error) {
    return fail(place, begun, error);
  } finally {
    leave?.();
  }
}

function begin({ shared, listener, route }: Place, request: Request): Begun {
  const startedAt = performance.now();
  const requestId = readRequestId(request);
  const isStopping = listener.stopping.aborted;
  const { peerAddress } = listener;
  const exchange = { request, requestId, route, isStopping, peerAddress };
  return { startedAt, deps: depsOf(shared, requestId), exchange };
}

function answer(
  place: Place,
  begun: Begun,
  work: () => Response | Promise<Response>,
): Response | Promise<Response> {
  try {
    const response = work();
    return response instanceof Promise ? finishLater(place, begun, response) : finish(place, begun, response);
  } catch (error) {
    return fail(place, begun, error);
  }
}

/** Counts the request as under way until it is answered. A probe does not count: it keeps nobody out. */
async function finishLater(place: Place, begun: Begun, answered: Promise<Response>): Promise<Response> {
  const leave = place.isProbe ? undefined : place.limits.enter();
  try {
    return finish(place, begun, await answered);
  } catch (error) {
    return fail(place, begun, error);
  } finally {
    leave?.();
  }
}

function fail(place: Place, begun: Begun, failure: unknown): Response {
  const error = asJanusError(failure);
  const write = isFloodError(error) ? place.logQuietly : place.logRequest;
  const { deps, exchange, refuse = errorResponse } = begun;
  logError(deps, exchange, error);
  return finish(place, begun, refuse(deps, exchange, error), write);
}

/** Writes the request's line, and prepares its connection for its end if it is not to be kept. */
function finish(place: Place, begun: Begun, response: Response, write = place.logRequest): Response {
  const { listener } = place;
  const { request, requestId } = begun.exchange;
  write({
    requestId,
    method: request.method,
    status: response.status,
    durationMs: Math.round(performance.now() - begun.startedAt),
  });
  // A client that keeps the connection makes its next request elsewhere.
  if (listener.stopping.aborted) response.headers.set("connection", "close");
  if (hasUnreadBody(request)) listener.hurry(request);
  return response;
}

function readRequestId(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && SANE_ID.test(given) ? given : crypto.randomUUID();
}

function findFault(request: Request, routes: readonly Route[]): JanusError {
  // A malformed Host header makes an address that cannot be parsed.
  const segments = (URL.parse(request.url)?.pathname ?? "").split("/", MAX_SEGMENTS);
  const methods = routes.filter(([, path]) => matches(path, segments)).map(([method]) => method);
  return methods.length === 0 ? notFound() : methodNotAllowed(methods.join(", "));
}

/** More than any route has. */
const MAX_SEGMENTS = 10;

/** Whether a path is one of a route's, whose `:name` stands for one segment that is not empty. */
function matches(route: string, theirs: readonly string[]): boolean {
  const ours = route.split("/");
  return (
    ours.length === theirs.length &&
    ours.every((part, index) => (part.startsWith(":") ? theirs[index] !== "" : part === theirs[index]))
  );
}
