/**
 * The address that a request asks for. An address may be as long as the whole head, and each parameter costs time. So an
 * address that is longer than any of Discord or a provider is not parsed.
 */

/** Longer than any code with its state. Proxies do not accept more in one line. */
const MAX_LENGTH = 8_192;
/** A callback has about ten. */
const MAX_PARAMETERS = 50;

/** The address that was asked for; undefined if it is too long, has too many parameters, or the Host header makes none. */
export function parseAddress({ url }: Pick<Request, "url">): URL | undefined {
  if (url.length > MAX_LENGTH || hasTooMany(url, "&", MAX_PARAMETERS)) return undefined;
  return URL.parse(url) ?? undefined;
}

/** Whether a text holds a mark more than `most` times. It stops looking there. */
function hasTooMany(text: string, mark: string, most: number): boolean {
  let found = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
    found += 1;
    if (found > most) return true;
  }
  return false;
}
