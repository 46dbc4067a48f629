/**
 * How often one address may ask. It counts in memory, for one process: it keeps a flood away, and a flood needs no exact
 * count.
 *
 * Half of the limit is a bucket that all share, the other half a bucket for each address; buckets fill again evenly. So
 * an address gets the whole limit at most, and half of it whatever the others do. While all together ask less than one
 * address may, no address has to be looked up, which would cost more than most answers do.
 */
import { startStopwatch } from "../time.ts";

/** If there are more, those that came first are forgotten. */
const MAX_ADDRESSES = 50_000;
const MINUTE_MS = 60_000;

/**
 * Takes one request. Undefined where it may be answered; else who asks too often, and the seconds after which they may
 * again. `findAddress` is called where that must be known.
 */
type RateLimit = (
  findAddress: () => string | undefined,
) => { readonly address: string; readonly retryAfterSeconds: number } | undefined;

/** A limit of so many requests a minute; 0 means no limit. */
export function createRateLimit(perMinute: number): RateLimit {
  if (perMinute === 0) return () => undefined;
  const half = Math.ceil(perMinute / 2);
  const shared = perMinute > half ? createBucket(perMinute - half) : undefined;
  const buckets = new Map<string, Bucket>();
  return (findAddress) => {
    if (shared?.take()) return undefined;
    const address = findAddress();
    if (address === undefined) return undefined;
    const bucket = buckets.get(address) ?? addBucket(buckets, address, half);
    if (bucket.take()) return undefined;
    return { address, retryAfterSeconds: Math.ceil(bucket.waitMs() / 1_000) };
  };
}

/** Lets something through once a minute for each name. */
export function createReminder(): (name: string) => boolean {
  const buckets = new Map<string, Bucket>();
  return (name) => (buckets.get(name) ?? addBucket(buckets, name, 1)).take();
}

function addBucket(buckets: Map<string, Bucket>, name: string, size: number): Bucket {
  const [oldest] = buckets.size < MAX_ADDRESSES ? [] : buckets.keys();
  if (oldest !== undefined) buckets.delete(oldest);
  const bucket = createBucket(size);
  buckets.set(name, bucket);
  return bucket;
}

/** A bucket of tokens, full at first, which fills again evenly within a minute. */
type Bucket = {
  /** Takes a token if there is one. */
  readonly take: () => boolean;
  /** Milliseconds until there is one. */
  readonly waitMs: () => number;
};

function createBucket(size: number): Bucket {
  const tokenMs = MINUTE_MS / size;
  let tokens = size;
  let sinceFilled = startStopwatch();
  const fill = (): void => {
    tokens = Math.min(size, tokens + sinceFilled() / tokenMs);
    sinceFilled = startStopwatch();
  };
  return {
    take: () => {
      fill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    waitMs: () => Math.max(0, (1 - tokens) * tokenMs),
  };
}
