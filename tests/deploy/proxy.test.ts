/**
 * Janus behind nginx with TLS in front, as `deploy/nginx.conf` has it: addresses, cookies, ids, and rate limits. Janus is a
 * process of its own, and so is nginx. What happens when replicas are restarted is in `rolling_restart.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { join } from "node:path";
import { en } from "../../lib/pages/texts/en.ts";
import type { Environment, Serving } from "../fixtures/command.ts";
import { serve } from "../fixtures/command.ts";
import type { Certificate, Nginx } from "../fixtures/nginx.ts";
import { findNginx, makeCertificate, NO_NGINX, startNginx } from "../fixtures/nginx.ts";
import { findChromium, launchChromium, NO_CHROMIUM, QUIET, watch } from "../harness/chromium.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import {
  createBrowser,
  discordClient,
  environmentFor,
  locationOf,
  providerClient,
  resultOf,
  USERS,
} from "../harness/janus.ts";
import { logWatch } from "../harness/log_watch.ts";
import { freePort, NOBODY } from "../harness/ports.ts";
import { reachLoginCallback } from "../harness/sign_in.ts";
import { approve, signIn } from "../harness/stage.ts";
import { newUser, reachProviderCallback } from "../harness/walk.ts";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ProviderStandin } from "../standins/provider.ts";
import { startProvider } from "../standins/provider.ts";

/** Without them the tests are skipped with a warning on a developer's machine, and fail in CI. */
const noNginx = findNginx() === undefined && !process.env.CI;
if (noNginx) console.warn(`The tests behind a proxy are skipped. ${NO_NGINX}`);
const noChromium = findChromium() === undefined && !process.env.CI;
if (noChromium) console.warn(`The browser test behind a proxy is skipped. ${NO_CHROMIUM}`);

const [ANNA, BO] = ["127.0.0.2", "127.0.0.3"];
const LIMIT = 20;
const front = { port: freePort(), plainPort: freePort() };
/** Two more before a Janus with a limit: one that overwrites X-Forwarded-For, and one that appends to it. */
const [writing, adding] = [
  { port: freePort(), plainPort: freePort() },
  { port: freePort(), plainPort: freePort() },
];
const inner = { port: freePort(), limitedPort: freePort() };
const url = `https://127.0.0.1:${front.port}`;

const folder = useFolder("proxy");
let certificate: Certificate;
let database: TestDatabase | undefined;
let discord: DiscordStandin;
let provider: ProviderStandin;
let nginx: Nginx;
let janus: Serving;

beforeAll(async () => {
  if (noNginx) return;
  certificate = await makeCertificate(folder);
  database = onPostgres ? await createTestDatabase() : undefined;
  discord = startDiscord({
    ...discordClient(url),
    users: Object.values(USERS),
    acceptAnyUser: true,
  });
  provider = await startProvider({
    ...providerClient(url),
  });
  const target = database?.config.url;
  janus = await startJanus({
    PORT: String(inner.port),
    ...(target === undefined ? { DATA_DIR: join(folder, "data") } : { DATABASE_URL: target }),
  });
  while ((await janus.get("/readyz")).status !== 200) await Bun.sleep(20);
  nginx = await startNginx(folder, certificate, [
    { ...front, replicas: [inner.port] },
    { ...writing, replicas: [inner.limitedPort], forwardedFor: "$remote_addr" },
    { ...adding, replicas: [inner.limitedPort], forwardedFor: "$proxy_add_x_forwarded_for" },
  ]);
});
afterAll(async () => {
  if (noNginx) return;
  await nginx?.stop();
  if (janus !== undefined) await stopJanus(janus);
  await Promise.all([discord?.stop(), provider?.stop(), database?.drop()]);
});

/** A Janus behind these fronts. */
function startJanus(more: Environment): Promise<Serving> {
  const environment = {
    ...environmentFor(url, discord, provider.issuer),
    TRUSTED_PROXIES: "127.0.0.1",
    LOG_LEVEL: "debug",
    ...more,
  };
  return serve(folder, environment);
}

async function stopJanus(serving: Serving | undefined): Promise<void> {
  await serving?.stop();
}

/** A member's browser. It keeps every answer of Janus, and tells the watch over the log about the secrets in them. */
function openBrowser(): Browser & { readonly answers: readonly Response[] } {
  const browser = createBrowser(url, { tls: { ca: certificate.ca } });
  const answers: Response[] = [];
  const get = async (address: string): Promise<Response> => {
    logWatch.addRequest(new URL(address, url).href, new Headers(), null);
    const answer = await browser.getOnce(address);
    logWatch.addAnswer(answer.headers, "");
    answers.push(answer);
    const result = resultOf(answer);
    return result === undefined ? answer : get(result);
  };
  return { ...browser, answers, get };
}

type Line = Readonly<Record<string, unknown>>;
const linesOf = ({ lines }: Serving): readonly Line[] => lines.map((line) => JSON.parse(line) as Line);

/** Looks until the line is there: it comes through a pipe. */
async function findLine(serving: Serving, wanted: (line: Line) => boolean): Promise<Line | undefined> {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = linesOf(serving).find(wanted);
    if (found !== undefined) return found;
    await Bun.sleep(20);
  }
  return undefined;
}

describe.skipIf(noNginx)("Janus behind nginx with TLS", () => {
  test("links, signs in and logs out, with secure cookies", async () => {
    const browser = openBrowser();

    const linked = await browser.get(await reachProviderCallback(browser, USERS.anna.id, "anna"));
    const account = await browser.get("/account");
    const later = openBrowser();
    const signedIn = await later.get(await reachLoginCallback(later, USERS.anna.id));
    const userinfo = await later.get("/api/userinfo");
    const loggedOut = await later.post("/api/auth/logout", {});
    const after = await later.get("/api/userinfo");

    expect([linked.status, account.status, userinfo.status, after.status]).toEqual([200, 200, 200, 401]);
    expect(loggedOut.ok || loggedOut.status === 303).toBe(true);
    expect(new URL(locationOf(signedIn), url).href).toBe(`${url}/account`);
    expect(discord.roleConnection(USERS.anna.id)?.platform_username).toBe("anna");
    expect(await userinfo.json()).toMatchObject({ discord: { id: USERS.anna.id } });
    const answers = [...browser.answers, ...later.answers];
    const redirectUris = answers.flatMap((answer) => {
      const location = URL.parse(answer.headers.get("location") ?? "", url);
      return location?.searchParams.get("redirect_uri") ?? [];
    });
    expect(new Set(redirectUris)).toEqual(
      new Set([`${url}/discord-oauth-callback`, `${url}/dsek-oauth-callback`, `${url}/login`]),
    );
    for (const answer of answers) {
      expect(answer.headers.get("strict-transport-security")).toBe("max-age=31536000");
      expect([...answer.headers].join()).not.toContain(`:${inner.port}`);
      expect(await (answer.bodyUsed ? "" : answer.text())).not.toContain(`:${inner.port}`);
    }
    const cookies = answers.flatMap(({ headers }) => headers.getSetCookie());
    const flowCookies = cookies.filter((line) => line.includes("janus_flow_"));
    expect(flowCookies.length).toBeGreaterThan(4);
    for (const line of flowCookies) expect(line).toStartWith("__Host-");
    for (const line of cookies) {
      const attributes = line
        .split("; ")
        .slice(1)
        .map((attribute) => attribute.toLowerCase());
      expect(attributes).toEqual(expect.arrayContaining(["path=/", "httponly", "secure", "samesite=lax"]));
      expect(line).not.toMatch(/;\s*domain=/i);
    }
    expect([...discord.unexpected, ...provider.unexpected]).toEqual([]);
  });

  test("redirects plain http to the same address by https", async () => {
    const answer = await fetch(`http://127.0.0.1:${front.plainPort}/linked-role?x=1`, { redirect: "manual" });

    expect(answer.status).toBe(308);
    expect(answer.headers.get("location")).toBe(`${url}/linked-role?x=1`);
  });

  test("gives a request one id, in both logs and the answer", async () => {
    const answer = await ask(front.port, {
      path: "/nowhere",
      headers: { "x-request-id": "id-of-the-client" },
    });

    const id = answer.headers["x-request-id"];
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.text).toContain(String(id));
    expect(
      await findLine(janus, ({ event, requestId }) => event === "request" && requestId === id),
    ).toMatchObject({
      status: 404,
    });
    const line = (await nginx.accessLog(String(id))).split("\n").find((text) => text.endsWith(` ${id}`));
    expect(line).toMatch(
      /^127\.0\.0\.1 \[[^\]]+\] "GET \/nowhere" 404 [\d.]+ 127\.0\.0\.1:\d+ [0-9a-f]{32}$/,
    );
  });

  test("leaves no code and no state in nginx's logs", async () => {
    const browser = openBrowser();
    const callback = await reachLoginCallback(browser, newUser());
    const finished = await browser.get(callback);

    const text = await nginx.accessLog(finished.headers.get("x-request-id") ?? "");
    const faults = await nginx.errorLog();

    expect(text).toContain('"GET /login" 302');
    for (const name of ["code", "state"]) {
      const secret = new URL(callback).searchParams.get(name) ?? "nothing";
      expect({ name, found: (text + faults).includes(secret) }).toEqual({ name, found: false });
    }
    // The only fault that nginx logs here is the large body of another test.
    const others = faults.split("\n").filter((line) => line !== "" && !line.includes("too large body"));
    expect(others).toEqual([]);
  });

  test("refuses a body that is larger than any form", async () => {
    const statuses: number[] = [];
    for (const size of [8_000, 20_000]) {
      const body = "a".repeat(size);
      const type = { "content-type": "application/x-www-form-urlencoded" };
      const headers = { ...type, origin: url, "content-length": String(size) };
      const { status } = await ask(front.port, { path: "/link/move", method: "POST", headers, body });
      statuses.push(status);
    }

    expect(statuses).toEqual([413, 413]);
  });

  test.skipIf(noChromium)("leads a browser through a link and a logout", async () => {
    const chromium = await launchChromium([certificate.fingerprint]);
    const faults: string[] = [];
    try {
      const context = await chromium.newContext({ locale: "en-GB", ...QUIET });
      watch(context, faults);
      const page = await context.newPage();
      await page.goto(`${url}/linked-role`);
      await approve(page, "bo_d");
      await signIn(page, "bo");
      const title = await page.getByRole("heading", { level: 1 }).textContent();
      const kept = await context.cookies(url);
      await page.goto(`${url}/account`);
      await page.getByRole("button", { name: en.buttons.signOut, exact: true }).click();

      expect(title).toBe(en.linked.title.replaceAll("{platform}", "D-sektionen"));
      expect(kept.filter(({ secure, httpOnly }) => secure && httpOnly).map(({ name }) => name)).toEqual(
        expect.arrayContaining(["sessionId", "sessionKey"]),
      );
      expect(new URL(page.url()).origin).toBe(url);
      expect((await context.cookies(url)).map(({ name }) => name)).not.toContain("sessionId");
      expect(discord.roleConnection(USERS.bo.id)?.platform_username).toBe("bo");
      expect(faults).toEqual([]);
    } finally {
      await chromium.close();
    }
  });
});

describe.skipIf(noNginx)("rate limits behind a proxy", () => {
  /** A Janus whose limit is LIMIT, half of which is shared and the other half an address's own; no page needs a database. */
  async function withLimit(more: Environment, walk: (limited: Serving) => Promise<void>): Promise<void> {
    const limited = await startJanus({
      PORT: String(inner.limitedPort),
      DATABASE_URL: `postgres://${NOBODY}/janus`,
      RATE_LIMIT_PER_MINUTE: String(LIMIT),
      ...more,
    });
    try {
      await walk(limited);
    } finally {
      await stopJanus(limited);
    }
  }
  /** Buckets fill again while the test runs: by one request in a few seconds. */
  const refilledSince = (from: number): number => Math.ceil(((performance.now() - from) * LIMIT) / 60_000);
  const peersOf = (limited: Serving, wanted: string) =>
    linesOf(limited)
      .filter(({ event }) => event === wanted)
      .map(({ peer }) => peer);

  test.each([
    ["$remote_addr", writing],
    ["$proxy_add_x_forwarded_for", adding],
  ])("tell clients apart with %s", async (_, { port }) => {
    await withLimit({}, async (limited) => {
      const pretend = (index: number): Ask => ({
        from: ANNA,
        headers: { "x-forwarded-for": `198.51.100.${index}`, forwarded: `for=198.51.100.${index}` },
      });

      const from = performance.now();
      const annas = await countAnswered(LIMIT + 15, port, pretend);
      const most = LIMIT + refilledSince(from);
      const bos = await countAnswered(LIMIT / 2, port, () => ({ from: BO }));
      await findLine(limited, ({ event, peer }) => event === "address_limited" && peer === ANNA);

      expect(annas).toBeGreaterThanOrEqual(LIMIT);
      expect(annas).toBeLessThanOrEqual(most);
      expect(bos).toBe(LIMIT / 2);
      expect(peersOf(limited, "address_limited")).toEqual([ANNA]);
      expect(peersOf(limited, "proxy_not_trusted")).toEqual([]);
    });
  });

  test("count all as one without TRUSTED_PROXIES, and say so", async () => {
    await withLimit({ TRUSTED_PROXIES: "" }, async (limited) => {
      const from = performance.now();
      const annas = await countAnswered(LIMIT, writing.port, () => ({ from: ANNA }));
      const bos = await countAnswered(LIMIT / 2, writing.port, () => ({ from: BO }));
      const most = refilledSince(from);
      await findLine(limited, ({ event }) => event === "address_limited");

      expect(annas).toBe(LIMIT);
      expect(bos).toBeLessThanOrEqual(most);
      expect(peersOf(limited, "address_limited")).toEqual(["127.0.0.1"]);
      expect(peersOf(limited, "proxy_not_trusted")).toEqual(["127.0.0.1"]);
    });
  });

  test("ignore, and log once, an untrusted X-Forwarded-For", async () => {
    await withLimit({}, async (limited) => {
      const pretend = (index: number): Ask => ({
        plain: true,
        from: ANNA,
        headers: { "x-forwarded-for": `198.51.100.${index}` },
      });

      const from = performance.now();
      const annas = await countAnswered(LIMIT + 15, inner.limitedPort, pretend);
      const most = LIMIT + refilledSince(from);
      const bos = await countAnswered(LIMIT / 2, writing.port, () => ({ from: BO }));
      await findLine(limited, ({ event }) => event === "address_limited");

      expect(annas).toBeLessThanOrEqual(most);
      expect(bos).toBe(LIMIT / 2);
      expect(peersOf(limited, "proxy_not_trusted")).toEqual([ANNA]);
      expect(peersOf(limited, "address_limited")).toEqual([ANNA]);
    });
  });
});

type Answer = {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
};

type Ask = {
  readonly from?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** By http, without nginx. */
  readonly plain?: boolean;
};

/** One request on a connection of its own, from an address of loopback. */
function ask(port: number, { from = "127.0.0.1", path = "/", plain = false, ...rest }: Ask): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const target = { host: "127.0.0.1", port, path, localAddress: from, agent: false as const };
  const options = { ...target, method: rest.method ?? "GET", headers: { ...rest.headers } };
  const request = plain ? requestPlain(options) : requestSecure({ ...options, ca: certificate.ca });
  request.on("error", reject);
  request.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
  });
  request.end(rest.body);
  return promise;
}

/** How many of these requests, sent one after the other, are answered. */
async function countAnswered(
  requests: number,
  port: number,
  options: (index: number) => Ask,
): Promise<number> {
  let answered = 0;
  for (let index = 0; index < requests; index += 1) {
    const { status } = await ask(port, options(index));
    if (status === 200) answered += 1;
    else expect(status).toBe(429);
  }
  return answered;
}
