/**
 * The client's address behind proxies: the right-most address in X-Forwarded-For that is not one of our proxies. The client
 * may have written everything to the left of it.
 */
import ipaddr from "ipaddr.js";
import proxyAddr from "proxy-addr";

/** Finds the client's address. `peer` is the address that has connected. */
type ClientAddress = (peer: string, request: Request) => string;

type Trust = (address: string, hop: number) => boolean;

/** The part of an IPv6 address that a provider gives a whole network, in groups of 16 bits. RFC 6177 2 */
const IPV6_GROUPS = 4;

/**
 * Makes the reader. It believes the header only if one of these proxies sent it. `onUntrusted` gets any other sender: a
 * proxy that the operator has forgotten, or a client that pretends to be another.
 */
export function createClientAddress(
  trustedProxies: readonly string[],
  onUntrusted: (peer: string) => void,
): ClientAddress {
  const trust: Trust = trustedProxies.length === 0 ? () => false : proxyAddr.compile([...trustedProxies]);
  return (peer, request) => {
    const forwarded = request.headers.get("x-forwarded-for");
    if (forwarded === null) return peer;
    if (trust(peer, 0)) return readForwarded(forwarded, trust) ?? peer;
    onUntrusted(peer);
    return peer;
  };
}

/** Nobody has more proxies in a row. Addresses left of them are not read. */
const MAX_HOPS = 10;
/** An IPv6 address with its zone and port. */
const MAX_HOP_LENGTH = 80;

/** Goes from right to left, to the first address that is not trusted. A text that is not an address ends the search. */
function readForwarded(header: string, trust: Trust): string | undefined {
  let client: string | undefined;
  let end = header.length;
  for (let hop = 1; hop <= MAX_HOPS && end >= 0; hop += 1) {
    const comma = end === 0 ? -1 : header.lastIndexOf(",", end - 1);
    if (end - comma > MAX_HOP_LENGTH) return client;
    const address = withoutPort(header.slice(comma + 1, end).trim());
    if (!ipaddr.isValid(address)) return client;
    client = address;
    if (!trust(address, hop)) return client;
    end = comma;
  }
  return client;
}

/** Removes the port that some proxies add: 192.0.2.1:49152, [2001:db8::1]:49152. */
const withoutPort = (hop: string): string => hop.replace(/^\[([^\]]*)\](:\d+)?$|^([\d.]+):\d+$/, "$1$3");

/** What one subscriber has: an IPv4 address, or the network of an IPv6 address. They may use any address in it. */
export function subscriberOf(address: string): string {
  if (!address.includes(":") || !ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return parsed.parts
    .slice(0, IPV6_GROUPS)
    .map((part) => part.toString(16))
    .join(":");
}
