/**
 * Janus as it runs, on a port of its own, with a real database, the stand-in for Discord and a provider: all that
 * `index.ts`, `deps.ts` and `listener.ts` build, with nothing in it replaced but the clock, the wait between retries and
 * the log's destination.
 */
import { createApp } from "../../index.ts";
import type { Config } from "../../lib/config/load.ts";
import type { Deps, Shared, WorkDeps } from "../../lib/deps.ts";
import { depsOf, upkeepDepsOf } from "../../lib/deps.ts";
import type { Listener } from "../../lib/http/edge.ts";
import type { Fetch } from "../../lib/oauth/upstream.ts";
import { readConfiguration } from "../../lib/operator/configuration.ts";
import type { App, Listening } from "../../lib/server/listener.ts";
import { listen } from "../../lib/server/listener.ts";
import { listenForMetrics } from "../../lib/server/metrics.ts";
import { openInstruments } from "../../lib/telemetry/instruments.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { createShared } from "../../lib/wiring.ts";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ForgerOptions, ForgerStandin } from "../standins/forger.ts";
import { startForger } from "../standins/forger.ts";
import type { Trust } from "../standins/member.ts";
import { createJar, visit } from "../standins/member.ts";
import type { ProviderOptions, ProviderStandin } from "../standins/provider.ts";
import type { Clock } from "./clock.ts";
import { createClock } from "./clock.ts";
import type { TestDatabase } from "./database.ts";
import { createTestDatabase } from "./database.ts";
import { logWatch } from "./log_watch.ts";
import { holdPort } from "./ports.ts";

/** Secrets that must never be seen outside: each is unlike anything else, so that a search finds it. */
export const CANARY = {
  discordClientSecret: "canary-discord-client-secret:/+ %",
  oidcClientSecret: "canary-oidc-client-secret:/+ %~-_.",
  botToken: "canary-bot-token",
} as const;

export const DISCORD_CLIENT_ID = "1111111111111111111";
export const OIDC_CLIENT_ID = "janus client";

/** Janus at this address, as Discord knows it. */
export const discordClient = (url: string) => ({
  clientId: DISCORD_CLIENT_ID,
  clientSecret: CANARY.discordClientSecret,
  botToken: CANARY.botToken,
  redirectUris: [`${url}/discord-oauth-callback`, `${url}/login`],
});
/** Janus at this address, as the provider knows it. */
export const providerClient = (url: string) => ({
  clientId: OIDC_CLIENT_ID,
  clientSecret: CANARY.oidcClientSecret,
  redirectUris: [`${url}/dsek-oauth-callback`],
});

/** Of a Janus that listens nowhere, or where nobody asks who asks. */
export const UNHEARD: Listener = {
  peerAddress: () => undefined,
  hurry: () => undefined,
  stopping: new AbortController().signal,
};

/** Members on the Discord side. */
export const USERS = {
  anna: {
    id: "200000000000000001",
    username: "anna_d",
    globalName: "Anna on Discord",
    avatar: "a".repeat(32),
  },
  bo: { id: "200000000000000002", username: "bo_d", globalName: null },
  cleo: { id: "200000000000000003", username: "cleo_d", globalName: "Cleo" },
} as const;

export type TestJanus<P> = {
  readonly url: string;
  /** Where its metrics are, with METRICS_PORT alone. */
  readonly metricsUrl: string;
  readonly config: Config;
  readonly shared: Shared;
  /** Of upkeep. */
  readonly deps: WorkDeps;
  /** Of a request, with an id of its own. */
  readonly request: () => Deps;
  readonly database: TestDatabase;
  readonly discord: DiscordStandin;
  readonly provider: P;
  readonly clock: Clock;
  /** Every line logged, at the most talkative level. */
  readonly logLines: string[];
  /** Tells it that it is about to stop. */
  readonly stopping: AbortController;
  readonly stop: () => Promise<void>;
};

type Options = {
  readonly environment?: Readonly<Record<string, string>>;
  /** What one upstream call may take; a minute, unless given. */
  readonly deadlineMs?: number;
  /** What the upstream calls of one request may take together; two minutes, unless given. */
  readonly budgetMs?: number;
  readonly database?: TestDatabase;
  readonly accessTokenSeconds?: number;
  /** Sees, and may keep, what Janus sends and receives. */
  readonly fetch?: Fetch;
};

/** With the certified provider, which takes longer to load than Janus, and which most tests do without. */
export async function startJanus(options: Options & { readonly provider?: Partial<ProviderOptions> } = {}) {
  const { startProvider } = await import("../standins/provider.ts");
  return start<ProviderStandin>(options, (client) => startProvider({ ...client, ...options.provider }));
}

/** With the provider that can be wrong in every way. */
export function startJanusWithForger(options: Options & { readonly forger?: Partial<ForgerOptions> } = {}) {
  return start<ForgerStandin>(options, (client, clock) =>
    startForger({ ...client, now: clock.now, ...options.forger }),
  );
}

/** On a busy machine an answer may take seconds. What hangs is late at once: see still_time.ts. */
const PATIENT_DEADLINE_MS = 60_000;
const PATIENT_BUDGET_MS = 120_000;
/** More than Janus reads of an answer. */
const WATCHED_LENGTH = 1024 * 1024;

const VERSION = "0.0.0-test";

type Client = ReturnType<typeof providerClient>;
type Startable = { readonly issuer: string; readonly stop: () => Promise<void> };

async function start<P extends Startable>(
  options: Options,
  startPeer: (client: Client, clock: Clock) => P | Promise<P>,
): Promise<TestJanus<P>> {
  // Its address must be known to both the others before.
  const held = holdPort();
  const url = `http://127.0.0.1:${held.port}`;
  const clock = createClock();
  const discord = startDiscord({
    ...discordClient(url),
    users: Object.values(USERS),
    acceptAnyUser: true,
    now: clock.now,
    ...(options.accessTokenSeconds === undefined ? {} : { accessTokenSeconds: options.accessTokenSeconds }),
  });
  const provider = await startPeer(providerClient(url), clock);
  const configuration = await readConfiguration({
    ...environmentFor(url, discord, provider.issuer),
    ...options.environment,
  });
  const { config } = configuration;
  const database = options.database ?? (await createTestDatabase());
  const logLines: string[] = [];
  const stopping = new AbortController();
  let listening: Listening | undefined;
  const instruments = await openInstruments(config, VERSION, ({ causeCode }) => {
    throw new Error(`spans were not taken: ${causeCode}`);
  });
  const shared = createShared(configuration, database.db, {
    fetch: watched(options.fetch ?? ((address, init) => fetch(address, init))),
    now: clock.now,
    // Waiting is Discord's order; that it is obeyed, discord.test.ts shows. Here time must not pass.
    sleep: () => Promise.resolve(),
    log: createLog(
      "debug",
      (line) => {
        logLines.push(line);
        logWatch.addLines(line);
      },
      clock.now,
      { onEvent: instruments.metrics?.countEvent, traceId: instruments.tracer?.traceId },
    ),
    instruments,
    version: VERSION,
    deadlineMs: options.deadlineMs ?? PATIENT_DEADLINE_MS,
    budgetMs: options.budgetMs ?? PATIENT_BUDGET_MS,
  });
  const app = createApp(shared, {
    stopping: stopping.signal,
    peerAddress: (request) => listening?.peerAddress(request),
    hurry: (request) => listening?.hurry(request),
  });
  const metrics = listenForMetrics(config.metrics, shared);
  await held.release();
  listening = listen({ ...config, port: held.port }, watchedApp(app));
  return {
    url,
    metricsUrl: metrics?.address ?? "",
    config,
    shared,
    deps: upkeepDepsOf(shared),
    request: () => depsOf(shared, crypto.randomUUID()),
    database,
    discord,
    provider,
    clock,
    logLines,
    stopping,
    stop: async () => {
      await Promise.all([listening.forceClose(), metrics?.stop()]);
      await instruments.tracer?.end();
      await Promise.all([discord.stop(), provider.stop()]);
      if (options.database === undefined) await database.drop();
    },
  };
}

/** The same, with what is asked and answered told to the watch over the log. */
function watchedApp({ fetch }: App): App {
  return {
    fetch: async (request) => {
      logWatch.addRequest(request.url, request.headers, null);
      const response = await fetch(request);
      logWatch.addAnswer(response.headers, "");
      return response;
    },
  };
}

/** The same, with what it carries and brings told to the watch over the log. */
function watched(send: Fetch): Fetch {
  return async (address, init) => {
    logWatch.addRequest(address, new Headers(init.headers), init.body);
    const response = await send(address, init);
    if (/json/.test(response.headers.get("content-type") ?? ""))
      readStart(response.clone()).then(
        (text) => logWatch.addAnswer(response.headers, text),
        () => undefined,
      );
    return response;
  };
}

/** The body, or the start of one that may have no end: a copy goes on when Janus has given the answer up. */
async function readStart({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > WATCHED_LENGTH) break;
  }
  return text;
}

/** The environment of a Janus between these two. */
export function environmentFor(
  url: string,
  discord: Pick<DiscordStandin, "apiUrl" | "authorizeUrl" | "cdnUrl">,
  issuer: string,
): Record<string, string> {
  return {
    PUBLIC_URL: url,
    DISCORD_CLIENT_ID,
    DISCORD_CLIENT_SECRET: CANARY.discordClientSecret,
    DISCORD_API_URL: discord.apiUrl,
    DISCORD_AUTHORIZE_URL: discord.authorizeUrl,
    DISCORD_CDN_URL: discord.cdnUrl,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID,
    OIDC_CLIENT_SECRET: CANARY.oidcClientSecret,
    TOKEN_KEYS: `k1:${randomKey()}`,
    COOKIE_SECRET: randomKey(),
    PLATFORM_NAME: "D-sektionen",
    TIME_ZONE: "Europe/Stockholm",
    // The suite is one address, and in a hurry.
    RATE_LIMIT_PER_MINUTE: "0",
    DRAIN_SECONDS: "0",
  };
}

export function randomKey(): string {
  const key = crypto
    .getRandomValues(new Uint8Array(32))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  logWatch.addSecret(key);
  return key;
}

/** The error code of the newest line of the log that has one. */
export function lastCode({ logLines }: { readonly logLines: readonly string[] }): string | undefined {
  const codes = logLines.map((line) => (JSON.parse(line) as { readonly code?: string }).code);
  return codes.filter((code) => code !== undefined).at(-1);
}

type Get = (address: string) => Promise<Response>;
type Post = (
  address: string,
  form: Readonly<Record<string, string>>,
  origin?: string | null,
) => Promise<Response>;

/**
 * A browser with cookies, at one Janus. Redirects are left to the test, but for the one to the page of a result: `get` and
 * `post` go on to it, as a member's browser does, and the page is their answer. `getOnce` and `postOnce` do not.
 */
export type Browser = {
  readonly jar: ReturnType<typeof createJar>;
  readonly get: Get;
  readonly post: Post;
  readonly getOnce: Get;
  readonly postOnce: Post;
};

export function createBrowser(url: string, trust: Trust = {}): Browser {
  const jar = createJar();
  const getOnce: Get = (address) => visit(new URL(address, url), jar, undefined, trust);
  const postOnce: Post = async (address, form, origin = url) => {
    const target = new URL(address, url);
    const response = await fetch(target, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: jar.header(target), ...(origin === null ? {} : { origin }) },
      body: new URLSearchParams(form),
      ...trust,
    });
    jar.keep(target, response);
    return response;
  };
  const goOn = (address: string, answer: Response): Response | Promise<Response> => {
    const result = resultOf(answer);
    return result === undefined ? answer : getOnce(new URL(result, new URL(address, url)).href);
  };
  return {
    jar,
    getOnce,
    postOnce,
    get: async (address) => goOn(address, await getOnce(address)),
    post: async (address, form, origin) => goOn(address, await postOnce(address, form, origin)),
  };
}

/** The path of the result that an answer leads to; undefined if it leads to none. */
export function resultOf({ status, headers }: Pick<Response, "status" | "headers">): string | undefined {
  const location = headers.get("location") ?? "";
  return status === 303 && location.startsWith("/result/") ? location : undefined;
}

/** Where a redirect leads; fails the test if the answer is none. */
export function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (![302, 303].includes(response.status) || location === null)
    throw new Error(`no redirect: ${response.status}`);
  return location;
}
