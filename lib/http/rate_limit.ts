/**
 * How often one address may ask: a bucket for each, that fills again evenly. Called by the edge. In memory and for one
 * process: what it keeps away is a flood, and a flood needs no exact count. Bounded: where there are more addresses
 * than it can hold, those that have been quiet the longest are forgotten.
 */
import { TokenBucket } from "limiter";
import { LRUCache } from "lru-cache";

const MAX_ADDRESSES = 50_000;
const MINUTE_MS = 60_000;

/** Takes one request of an address. Undefined where it may ask; else the seconds after which it may again. */
export type RateLimit = (address: string) => number | undefined;

/** A limit of so many requests a minute, as many of them at once; 0 is none. */
export function createRateLimit(perMinute: number): RateLimit {
  if (perMinute === 0) return () => undefined;
  const buckets = new LRUCache<string, TokenBucket>({ max: MAX_ADDRESSES });
  return (address) => {
    const bucket = buckets.get(address) ?? addBucket(buckets, address, perMinute);
    return bucket.tryRemoveTokens(1) ? undefined : Math.ceil(bucket.getWaitTime(1) / 1_000);
  };
}

function addBucket(buckets: LRUCache<string, TokenBucket>, address: string, perMinute: number): TokenBucket {
  const bucket = new TokenBucket({
    bucketSize: perMinute,
    tokensPerInterval: perMinute,
    interval: MINUTE_MS,
  });
  // It would begin empty.
  bucket.content = perMinute;
  buckets.set(address, bucket);
  return bucket;
}
