/** Signing in as a member does, and asking the API as a program does. */
import type { SessionSecrets } from "../../lib/session/secrets.ts";
import { withHash } from "../../lib/session/secrets.ts";
import { createJar, visit } from "../standins/member.ts";
import type { Browser } from "./janus.ts";
import { createBrowser, locationOf } from "./janus.ts";

type At = { readonly url: string };

/** From /login to the callback at Janus, not yet visited. Any user id will do: Discord makes it. */
export async function reachLoginCallback(browser: Browser, discordUserId: string): Promise<string> {
  const authorizationUrl = locationOf(await browser.get("/login"));
  return locationOf(await visit(authorizationUrl, createJar(), { user_id: discordUserId }));
}

/** A browser that is signed in. */
export async function signIn(janus: At, discordUserId: string): Promise<Browser> {
  const browser = createBrowser(janus.url);
  await browser.get(await reachLoginCallback(browser, discordUserId));
  return browser;
}

/** The two secrets that a browser holds. */
export function secretsOf(janus: At, browser: Browser): SessionSecrets {
  const pairs = browser.jar.header(new URL(janus.url)).split("; ");
  const values = Object.fromEntries(pairs.map((pair) => [pair.split("=")[0], pair.split("=")[1]]));
  return withHash(values.sessionId ?? "", values.sessionKey ?? "");
}

/** The Cookie header of two secrets. */
export const cookieOf = (secrets: { readonly sessionId: string; readonly sessionKey: string }): string =>
  `sessionId=${secrets.sessionId}; sessionKey=${secrets.sessionKey}`;

/** A call of the API with a browser's cookies, its own Origin where it changes something, and no wish for pages. */
export function callApi(
  janus: At,
  path: string,
  options: {
    readonly browser?: Browser;
    readonly cookie?: string;
    readonly method?: string;
    readonly origin?: string | null;
    readonly headers?: Readonly<Record<string, string>>;
    readonly form?: Readonly<Record<string, string>>;
  } = {},
): Promise<Response> {
  const { browser, method = "GET", origin = method === "GET" ? null : janus.url } = options;
  const cookie = options.cookie ?? browser?.jar.header(new URL(janus.url)) ?? "";
  return fetch(new URL(path, janus.url), {
    method,
    redirect: "manual",
    headers: {
      ...(cookie === "" ? {} : { cookie }),
      ...(origin === null ? {} : { origin }),
      ...options.headers,
    },
    ...(options.form === undefined ? {} : { body: new URLSearchParams(options.form) }),
  });
}
