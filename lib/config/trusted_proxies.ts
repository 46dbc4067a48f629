/**
 * TRUSTED_PROXIES: which proxies Janus believes when they say who a client is, and whether such a list lets anybody pretend to
 * be one.
 */
import proxyAddr from "proxy-addr";
import * as v from "valibot";

/** A list for `proxy-addr`: addresses, ranges, and its names for private addresses. */
export const trustedProxies = v.pipe(
  v.string(),
  v.transform((text) => text.split(/[\s,]+/).filter((part) => part !== "")),
  v.check(
    (list) => isListOfAddresses(list),
    "must be IP addresses or ranges, such as 127.0.0.1, 10.0.0.0/8 or loopback",
  ),
);

/** An address in each half of IPv4 and of IPv6 that could be anybody's. RFC 5737, RFC 3849 */
const STRANGERS = ["11.22.33.44", "203.0.113.1", "2001:db8::1", "9000::1"];

/** Whether a list of proxies includes addresses that anybody may have, who could then pretend to be any client. */
export function trustsStrangers(list: readonly string[]): boolean {
  const trusts = proxyAddr.compile([...list]);
  return STRANGERS.some((stranger) => trusts(stranger, 0));
}

function isListOfAddresses(list: readonly string[]): boolean {
  try {
    // The result is not kept: the configuration holds plain values only.
    if (list.length > 0) proxyAddr.compile([...list]);
    return true;
  } catch {
    // The error quotes a part of the list, which no message of ours may repeat.
    return false;
  }
}
