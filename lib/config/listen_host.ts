/**
 * HOST, in one spelling: an address of IPv4 or IPv6 by number, without brackets, or a name. What the server listens on,
 * what `janus healthcheck` asks and what `config check` shows is then the same text.
 */
import * as v from "valibot";

/** Labels of letters, digits, hyphens and underscores, which containers have in their names. RFC 1123 2.1 */
const NAME = /^(?![-.])[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/;
/** An address of one link names the interface behind it. RFC 4007 11 */
const ZONE = /^(.+)%([A-Za-z0-9._-]{1,32})$/;
const LOCALHOST = /^localhost\.?$/;

/**
 * `localhost` is 127.0.0.1: which of its two addresses the system would choose differs between machines, and most
 * proxies ask this one.
 */
export const listenHost = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, "must not be empty"),
  v.maxLength(255, "must have at most 255 characters"),
  v.check((text) => !/\p{Cc}/u.test(text), "must not hold control characters"),
  v.transform(normalise),
  v.check((host) => host !== undefined, "must be an address or a name alone, without http://, port or path"),
  v.transform((host) => host ?? ""),
);

/** As it stands in an address of the web: IPv6 in brackets. */
export const inBrackets = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function normalise(text: string): string | undefined {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined || text.includes(":")) return normaliseIpv6(bracketed ?? text);
  // What would end the name, or become another one, before it is looked at.
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
