/**
 * HOST in one spelling: an IPv4 or IPv6 address without brackets, or a name. The server, `janus healthcheck` and
 * `config check` then all use the same text.
 */
import * as v from "valibot";

/** Labels of letters, digits, hyphens and underscores. RFC 1123 2.1 has no underscore, but names of containers do. */
const NAME = /^(?![-.])[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/;
/** A link-local address with its interface. RFC 4007 11 */
const ZONE = /^(.+)%([A-Za-z0-9._-]{1,32})$/;
const LOCALHOST = /^localhost\.?$/;

/**
 * The schema of HOST. `localhost` becomes 127.0.0.1: systems differ in which of its two addresses they choose, and most
 * proxies ask this one.
 */
export const listenHost = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, "must not be empty"),
  v.maxLength(255, "must have at most 255 characters"),
  v.check((text) => !/\p{Cc}/u.test(text), "must not contain control characters"),
  v.transform(normalise),
  v.check(
    (host) => host !== undefined,
    "must be an IP address or a host name, without http://, port or path",
  ),
  v.transform((host) => host ?? ""),
);

/** The host as a URL has it: an IPv6 address in brackets. */
export const inBrackets = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function normalise(text: string): string | undefined {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined || text.includes(":")) return normaliseIpv6(bracketed ?? text);
  // These would end the name, or turn it into another one, before it is checked.
  if (/[\s/?#@\\%]/.test(text)) return undefined;
  const name = URL.parse(`http://${text}`)?.hostname ?? "";
  if (LOCALHOST.test(name)) return "127.0.0.1";
  return NAME.test(name) ? name : undefined;
}

function normaliseIpv6(text: string): string | undefined {
  const [, address = text, zone] = ZONE.exec(text) ?? [];
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address)) return undefined;
  const host = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1);
  if (host === undefined || zone === undefined) return host;
  return `${host}%${zone}`;
}
