/**
 * How often one address may ask. Called by the edge. In memory and for one process: what it keeps away is a flood, and
 * a flood needs no exact count.
 *
 * Half of the limit is a bucket that all share, the other half a bucket for each address; buckets fill again evenly. So
 * an address gets the whole limit at most, and half of it whatever the others do; and as long as all together ask less
 * than one may, nobody has to be told apart, which costs more than most answers do.
 */
import { TokenBucket } from "limiter";

/** Where there are more, those that came first are forgotten. */
const MAX_ADDRESSES = 50_000;
const MINUTE_MS = 60_000;

/**
 * Takes one request. Undefined where it may be answered; else who asks too often, and the seconds after which they may
 * again. `findAddress` is called where that must be known.
 */
export type RateLimit = (
  findAddress: () => string | undefined,
) => { readonly address: string; readonly retryAfterSeconds: number } | undefined;

/** A limit of so many requests a minute; 0 is none. */
export function createRateLimit(perMinute: number): RateLimit {
  if (perMinute === 0) return () => undefined;
  const half = Math.ceil(perMinute / 2);
  // A bucket of nothing would be one without an end.
  const shared = perMinute > half ? createBucket(perMinute - half) : undefined;
  const buckets = new Map<string, TokenBucket>();
  return (findAddress) => {
    if (shared?.tryRemoveTokens(1)) return undefined;
    const address = findAddress();
    if (address === undefined) return undefined;
    const bucket = buckets.get(address) ?? addBucket(buckets, address, half);
    if (bucket.tryRemoveTokens(1)) return undefined;
    return { address, retryAfterSeconds: Math.ceil(bucket.getWaitTime(1) / 1_000) };
  };
}

/** Lets something through once a minute for each name. */
export function createReminder(): (name: string) => boolean {
  const buckets = new Map<string, TokenBucket>();
  return (name) => (buckets.get(name) ?? addBucket(buckets, name, 1)).tryRemoveTokens(1);
}

function addBucket(buckets: Map<string, TokenBucket>, name: string, size: number): TokenBucket {
  const [oldest] = buckets.size < MAX_ADDRESSES ? [] : buckets.keys();
  if (oldest !== undefined) buckets.delete(oldest);
  const bucket = createBucket(size);
  buckets.set(name, bucket);
  return bucket;
}

function createBucket(perMinute: number): TokenBucket {
  const size = { bucketSize: perMinute, tokensPerInterval: perMinute };
  const bucket = new TokenBucket({ ...size, interval: MINUTE_MS });
  // It would begin empty.
  bucket.content = perMinute;
  return bucket;
}
