/**
 * Counts requests, and puts each into a span. It is the only place where `edge.ts` is watched, and without metrics and traces
 * it is not there at all. The route is its pattern, never the path.
 */
import type { Instruments } from "../telemetry/instruments.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { nameMethod } from "../telemetry/metrics.ts";
import type { Span, Tracer } from "../telemetry/spans.ts";
import { startStopwatch } from "../time.ts";
import type { Answer } from "./edge.ts";

const SERVER_ERROR = 500;
const MS = 1_000;

/** The same answer, observed. Where nothing observes, it is `answer` itself. Health probes have no span. */
export function observe(
  { metrics, tracer }: Instruments,
  { route, isTraced }: { readonly route: string; readonly isTraced: boolean },
  answer: Answer,
): Answer {
  const counted = metrics === undefined ? answer : count(metrics, route, answer);
  return tracer === undefined || !isTraced ? counted : trace(tracer, route, counted);
}

function count(metrics: Metrics, route: string, answer: Answer): Answer {
  return (request) => {
    const elapsedMs = startStopwatch();
    const note = (response: Response): Response => {
      metrics.countRequest(route, request.method, response.status, elapsedMs() / MS);
      return response;
    };
    const response = answer(request);
    return response instanceof Promise ? response.then(note) : note(response);
  };
}

function trace(tracer: Tracer, route: string, answer: Answer): Answer {
  return (request) => {
    const { headers } = request;
    const method = nameMethod(request.method);
    const attributes = { "http.request.method": method, "http.route": route };
    const answerWithin = async (span: Span): Promise<Response> => {
      const response = await answer(request);
      span.add({ "http.response.status_code": response.status });
      if (response.status >= SERVER_ERROR) span.fail(String(response.status));
      return response;
    };
    return tracer.trace("server", `${method} ${route}`, attributes, answerWithin, headers.get("traceparent"));
  };
}
