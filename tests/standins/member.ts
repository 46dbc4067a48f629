/**
 * What a member does, over plain HTTP and without a browser: follows redirects, keeps cookies, fills in forms.
 * Each walk stays on the stand-in's own origin and ends at the address that leads away from it.
 */

/**
 * A browser's cookies. As in a browser they belong to a host and a path, and the port does not matter; what is Secure
 * comes and goes by https alone, and a name that begins with __Host- keeps what it promises, or is not kept.
 * RFC 6265bis 4.1.3, 5.6
 */
export type CookieJar = {
  readonly header: (url: URL) => string;
  readonly keep: (url: URL, response: Response) => void;
};

/** The certificate of a server that no authority has signed, in PEM. */
export type Trust = { readonly tls?: { readonly ca: string } };

/** Signs in at Discord as this user and consents; the callback URL that Discord sends the member to. */
export async function approveDiscord(authorizationUrl: string, userId: string): Promise<string> {
  return await walk(authorizationUrl, (markup) => press(markup, "user_id", userId), createJar());
}

/** Presses Cancel on Discord's consent page; the callback URL. */
export async function denyDiscord(authorizationUrl: string): Promise<string> {
  return await walk(authorizationUrl, (markup) => press(markup, "cancel", "1"), createJar());
}

/** Signs in at the provider and consents where it asks; the callback URL. A jar kept between calls is a session. */
export async function signInAtProvider(
  authorizationUrl: string,
  login: string,
  jar: CookieJar = createJar(),
): Promise<string> {
  return await walk(authorizationUrl, () => ({ login, password: "demo" }), jar);
}

/** Presses Cancel on the provider's sign-in page; the callback URL. */
export async function cancelAtProvider(authorizationUrl: string): Promise<string> {
  return await walk(authorizationUrl, (markup) => press(markup, "cancel", "1"), createJar());
}

/** One request as a browser makes it: cookies sent and kept, redirects left to the caller. */
export async function visit(
  address: string | URL,
  jar: CookieJar,
  form?: Readonly<Record<string, string>>,
  trust: Trust = {},
): Promise<Response> {
  const url = new URL(address);
  const cookie = jar.header(url);
  const response = await fetch(url, {
    method: form ? "POST" : "GET",
    redirect: "manual",
    headers: { accept: "text/html", ...(cookie ? { cookie } : {}) },
    ...(form ? { body: new URLSearchParams(form) } : {}),
    ...trust,
  });
  jar.keep(url, response);
  return response;
}

/** Makes an empty jar. */
export function createJar(): CookieJar {
  const cookies = new Map<string, Kept>();
  return {
    header: (url) =>
      [...cookies.values()]
        .filter(({ host, path }) => host === url.hostname && isBelow(url.pathname, path))
        .filter(({ secure }) => !secure || url.protocol === "https:")
        .map(({ pair }) => pair)
        .join("; "),

    keep(url, response) {
      for (const line of response.headers.getSetCookie()) {
        const cookie = Bun.Cookie.parse(line);
        if (!mayKeep(cookie, line, url)) continue;
        const key = `${url.hostname}\n${cookie.path}\n${cookie.name}`;
        const pair = /^[^;]*/.exec(line)?.[0] ?? "";
        cookies.delete(key);
        if (!cookie.isExpired())
          cookies.set(key, { host: url.hostname, path: cookie.path, secure: cookie.secure, pair });
      }
    },
  };
}

type Kept = {
  readonly host: string;
  readonly path: string;
  readonly secure: boolean;
  readonly pair: string;
};

function mayKeep(cookie: Bun.Cookie, line: string, url: URL): boolean {
  if (cookie.secure && url.protocol !== "https:") return false;
  if (!cookie.name.startsWith("__Host-")) return true;
  return cookie.secure && /;\s*path=\/\s*(;|$)/i.test(line) && !/;\s*domain=/i.test(line);
}

type Filling = (markup: string) => Readonly<Record<string, string>>;

const STEPS_AT_MOST = 20;

async function walk(start: string, fill: Filling, jar: CookieJar): Promise<string> {
  const { origin } = new URL(start);
  let url = new URL(start);
  let form: Readonly<Record<string, string>> | undefined;

  for (let step = 0; step < STEPS_AT_MOST; step += 1) {
    const response = await visit(url, jar, form);
    const location = response.headers.get("location");
    if (location !== null) {
      const next = new URL(location, url);
      if (next.origin !== origin) return next.href;
      [url, form] = [next, undefined];
      continue;
    }

    const markup = await response.text();
    const opening = /<form\b[^>]*>/.exec(markup)?.[0];
    if (!response.ok || opening === undefined) {
      throw new Error(`${url.origin}${url.pathname} answers ${response.status} without a form: ${markup}`);
    }
    form = { ...hiddenFields(markup), ...fill(markup) };
    url = new URL(attribute(opening, "action") ?? url.href, url);
  }
  throw new Error(`${start} leads nowhere in ${STEPS_AT_MOST} steps`);
}

/** Presses the button with this name and value, which must be on the page. */
function press(markup: string, name: string, value: string): Readonly<Record<string, string>> {
  const buttons = markup.match(/<button\b[^>]*>/g) ?? [];
  const isThere = buttons.some((tag) => attribute(tag, "name") === name && attribute(tag, "value") === value);
  if (!isThere) throw new Error(`no button ${name}=${value} on the page: ${markup}`);
  return { [name]: value };
}

function hiddenFields(markup: string): Readonly<Record<string, string>> {
  const tags = (markup.match(/<input\b[^>]*>/g) ?? []).filter((tag) => attribute(tag, "type") === "hidden");
  return Object.fromEntries(tags.map((tag) => [attribute(tag, "name") ?? "", attribute(tag, "value") ?? ""]));
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value
    ?.replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&#x27;", "'")
    .replaceAll("&amp;", "&");
}

function isBelow(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}
