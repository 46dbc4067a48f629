/**
 * The address that a request asks for. What it says may be as long as a head may be, and each parameter costs: an
 * address that no server of a flow writes is none.
 */

/** Longer than any code with its state; a proxy takes no more in one line. */
const MAX_LENGTH = 8_192;
/** A callback has some ten. */
const MAX_PARAMETERS = 50;

/** The address that was asked for; undefined where the Host header makes none, or where it is out of all proportion. */
export function parseAddress({ url }: Pick<Request, "url">): URL | undefined {
  if (url.length > MAX_LENGTH || hasTooMany(url, "&", MAX_PARAMETERS)) return undefined;
  return URL.parse(url) ?? undefined;
}

/** Whether a text holds a mark more often than so many times. It looks no further than that. */
function hasTooMany(text: string, mark: string, most: number): boolean {
  let found = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
    found += 1;
    if (found > most) return true;
  }
  return false;
}
