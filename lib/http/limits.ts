/**
 * Who is kept out: an address that asks too often, and everybody while too many requests are under way. The log says so
 * once a minute for each. How much one address may ask is in `rate_limit.ts`.
 */
import type { Shared } from "../deps.ts";
import { tooBusy, tooManyRequests } from "../errors.ts";
import { createClientAddress, subscriberOf } from "./client_address.ts";
import { createRateLimit, createReminder } from "./rate_limit.ts";

/** Keeps requests out: what refuses one throws. */
export type Limits = {
  /** Refuses an address that asks too often, and everybody while too many requests are under way. */
  readonly check: (request: Request) => void;
  /** Refuses everybody while too many requests are under way. */
  readonly checkLoad: () => void;
  /** Counts a request as under way until the function that it returns is called. */
  readonly enter: () => () => void;
  /** Who asks; undefined if the connection is gone already. */
  readonly subscriberOf: (request: Request) => string | undefined;
};

/** More than this process can answer well at once, each waiting for the database or an upstream. */
const MAX_IN_FLIGHT = 1_000;

const UNTRUSTED =
  "X-Forwarded-For from an address that is not in TRUSTED_PROXIES: all its clients share one limit";

/** Makes the limits of one process. */
export function createLimits(
  { config, log }: Pick<Shared, "config" | "log">,
  peerAddress: (request: Request) => string | undefined,
): Limits {
  const limit = createRateLimit(config.rateLimitPerMinute);
  const mayMention = createReminder();
  let inFlight = 0;
  const findClient = createClientAddress(config.trustedProxies, (peer) => {
    if (mayMention("proxy")) log.warn("proxy_not_trusted", { peer, reason: UNTRUSTED });
  });
  const findSubscriber = (request: Request): string | undefined => {
    const peer = peerAddress(request);
    return peer === undefined ? undefined : subscriberOf(findClient(peer, request));
  };
  const checkLoad = (): void => {
    if (inFlight < MAX_IN_FLIGHT) return;
    if (mayMention("busy")) log.warn("too_busy", { count: inFlight });
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
      inFlight += 1;
      return () => {
        inFlight -= 1;
      };
    },
    subscriberOf: findSubscriber,
  };
}
