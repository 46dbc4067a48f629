/**
 * A step of a flow: what it takes, what every flow's steps may end with, and the one place where the log says how a step
 * ended. This room owns the way between the two servers: what a browser carries from leg to leg (`record.ts`), the
 * departures to the provider, and callbacks that come twice (`sharing.ts`). What a step stores is left to `link/` and
 * `session/`, and the cookies to `http/cookies.ts`.
 */
import { asJanusError } from "../errors.ts";
import type { ErrorResponse } from "../oauth/authorization.ts";
import { readRefusal } from "../oauth/authorization.ts";
import type { Upstream } from "../oauth/upstream.ts";
import type { Browser } from "../session/secrets.ts";
import type { LogOutcome, LogStep } from "../telemetry/events.ts";
import type { Instruments } from "../telemetry/instruments.ts";
import type { Log } from "../telemetry/log.ts";
import type { Flow, FlowChange, FlowRecords } from "./record.ts";
import { resultNameOf } from "./record.ts";

/** What the browser sent with a callback. */
export type FlowRequest = {
  readonly query: URLSearchParams;
  readonly records: FlowRecords;
  readonly browser: Browser;
};

/** The next leg: where to send the browser, and what it is to keep. */
export type Departure = {
  /** `sent_back`: to the same server once more, with another request. */
  readonly outcome: "departed" | "sent_back";
  readonly location: string;
  readonly flow: FlowChange;
  /** Undefined before Discord has said who the member is. */
  readonly discordUserId?: string;
};

/** The member said no at one of the two, or the server did: nothing was linked, nothing changed. */
export type Cancelled = {
  readonly outcome: "cancelled";
  readonly at: "discord" | "provider";
  /** For the log. */
  readonly reason: string;
  /** What its page is called. */
  readonly resultName: string;
  readonly flow: FlowChange;
};

/** How a step ended, as its line in the log has it. */
type Ended = {
  readonly outcome: LogOutcome;
  readonly reason?: string;
  readonly discordUserId?: string;
};

/** Makes a step of `work`: whether it gives a result or throws, one line in the log says so, and a span if there are traces. */
export function createStep<
  Needs extends { readonly log: Log; readonly instruments: Instruments },
  Given extends unknown[],
  Result extends Ended,
>(
  step: LogStep,
  work: (deps: Needs, ...given: Given) => Promise<Result>,
): (deps: Needs, ...given: Given) => Promise<Result> {
  const run = async (deps: Needs, ...given: Given): Promise<Result> => {
    try {
      const result = await work(deps, ...given);
      const { outcome, reason, discordUserId } = result;
      deps.log.info("flow_step", { step, outcome, reason, discordUserId });
      return result;
    } catch (error) {
      deps.log.info("flow_step", { step, outcome: "failed", code: asJanusError(error).code });
      throw error;
    }
  };
  return (deps, ...given) => {
    const { tracer } = deps.instruments;
    if (tracer === undefined) return run(deps, ...given);
    return tracer.trace("internal", `step ${step}`, { "janus.step": step }, async (span) => {
      const result = await run(deps, ...given);
      span.add({ "janus.outcome": result.outcome });
      return result;
    });
  };
}

/** The result of a step whose server answered with an error that is a no. Throws any other error of the answer. */
export function cancel(
  at: Cancelled["at"],
  upstream: Upstream,
  answer: ErrorResponse,
  flow: Flow,
): Cancelled {
  return {
    outcome: "cancelled",
    at,
    reason: readRefusal(upstream, answer),
    resultName: resultNameOf(flow),
    flow: { forget: [flow.record.name] },
  };
}
