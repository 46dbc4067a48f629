/**
 * What each source of events may take of this process, so that one that floods holds up neither members nor another
 * source. A source is not limited by its address: Discord and providers send from many, and all of their members at once.
 */
import { tooManyRequests } from "../errors.ts";
import type { RequestSource } from "../telemetry/events.ts";
import type { ReadBody } from "./body.ts";
import { createBodyReader, MAX_WAITING } from "./body.ts";

/** Events of a source that are worked on at once. More than the database answers at once would only wait. */
const MAX_IN_FLIGHT = 50;
const RETRY_AFTER_SECONDS = 1;

/** The limits of one source. */
export type SourceLimits = {
  /** Reads a body. If too many of a source wait for theirs, the one that has waited longest is given up. */
  readonly readBody: ReadBody;
  /** Counts an event as under way until the function that it returns is called. Throws too_many_requests. */
  readonly enter: () => () => void;
};

/** Gives each source limits of its own. */
export function createSourceLimits(): (source: RequestSource) => SourceLimits {
  const limits = new Map<RequestSource, SourceLimits>();
  return (source) => {
    const found = limits.get(source) ?? createLimits();
    limits.set(source, found);
    return found;
  };
}

function createLimits(): SourceLimits {
  let inFlight = 0;
  return {
    // All events of a source may come from one address.
    readBody: createBodyReader(undefined, MAX_WAITING),
    enter: () => {
      if (inFlight >= MAX_IN_FLIGHT) throw tooManyRequests(RETRY_AFTER_SECONDS);
      inFlight += 1;
      return () => {
        inFlight -= 1;
      };
    },
  };
}
