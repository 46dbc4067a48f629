/**
 * Which addresses a secret may be sent to: those by https, and those on this machine by http. What an address is for does
 * not matter here.
 */

const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether only this machine can reach the address. There http is as good as https. */
export const isLoopback = (url: URL): boolean => LOOPBACK_HOSTS.has(url.hostname);

/** Whether the address is https, or http on loopback, and holds no credentials. */
export function isSecureAddress(url: URL): boolean {
  const isEncrypted = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
  return isEncrypted && url.username === "" && url.password === "";
}
