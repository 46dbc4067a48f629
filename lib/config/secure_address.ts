/**
 * Which addresses a secret may be sent to, or a member may be led to: those by https, and those on this machine by http.
 * What an address is for does not matter here.
 */
import * as v from "valibot";
import { hasInvisible } from "./stray_characters.ts";

const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether only this machine can reach the address. There http is as good as https. */
export const isLoopback = (url: URL): boolean => LOOPBACK_HOSTS.has(url.hostname);

/** Whether an address, without brackets, is one of loopback. RFC 6890 */
export const isLoopbackAddress = (host: string): boolean =>
  host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

/** Whether the address is https, or http on loopback, and holds no credentials. */
function isSecureAddress(url: URL): boolean {
  const isEncrypted = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
  return isEncrypted && url.username === "" && url.password === "";
}

/** Such an address as an operator writes it. It may have a path, a query and a fragment. */
export const secureUrl = v.pipe(
  v.string(),
  v.trim(),
  // URL.parse would silently drop a line break in the middle.
  v.check(
    (text) => !/\s/.test(text) && !hasInvisible(text),
    "must not contain spaces or invisible characters",
  ),
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && isSecureAddress(url);
  }, "must be an https URL (http only on loopback)"),
);
