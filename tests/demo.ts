/**
 * `bun run demo`: Janus as it ships, between a stand-in for Discord and a real OpenID Provider, on this machine
 * alone. It needs no account, no configuration and no database server, and leaves nothing behind.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createApp } from "../index.ts";
import { formatReport } from "../lib/cli/doctor_report.ts";
import { openDatabase } from "../lib/database/open.ts";
import { putMetadataRecords } from "../lib/discord/metadata_records.ts";
import { addressInUse, asJanusError, JanusError, usage } from "../lib/errors.ts";
import { readConfiguration } from "../lib/operator/configuration.ts";
import { examine } from "../lib/operator/doctor/examine.ts";
import { readSettings } from "../lib/operator/doctor/settings.ts";
import { recordsOf } from "../lib/operator/setup_questions.ts";
import { startServer } from "../lib/server/lifecycle.ts";
import { createLog } from "../lib/telemetry/log.ts";
import type { World } from "../lib/wiring.ts";
import { version } from "../package.json" with { type: "json" };
import { guidePage, startGuide } from "./demo_guide.ts";
import { DISCORD_USERS, PEOPLE, readDemoRules } from "./demo_people.ts";
import { createSteps } from "./demo_steps.ts";
import { startDiscord } from "./standins/discord.ts";
import { startProvider } from "./standins/provider.ts";

const HELP = `The demo of Janus: Discord's part played by a stand-in, and a real OpenID Provider with five accounts

Usage: bun run demo [options]

  -p, --port <port>   where Janus listens; unless given 3000, or any port where that is taken
      --doctor        print what janus doctor says of it, once it has started
      --verbose       print Janus's log, a line of JSON for each event
  -h, --help          print this

Everything listens on 127.0.0.1. Nothing is kept: the database is in a temporary folder that goes at the end.`;

const OPTIONS = {
  port: { type: "string", short: "p" },
  doctor: { type: "boolean" },
  verbose: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const HOST = "127.0.0.1";
const FRIENDLY_PORT = 3_000;
const MAX_PORT = 65_535;
/** A port that was free may be taken by another program before Janus listens on it. */
const TRIES = 3;
const DISCORD_CLIENT_ID = "300000000000000000";
const OIDC_CLIENT_ID = "janus";
const PLATFORM_NAME = "D-sektionen";
/** The record of `example.rules.toml` that the stand-in's role asks for. */
const MEMBER_KEY = "member";

type Options = {
  readonly port: number | undefined;
  readonly doctor: boolean;
  readonly verbose: boolean;
};
type Demo = {
  readonly guideUrl: string;
  readonly appUrl: string;
  readonly accountUrl: string;
  /** What the doctor says, if it was asked. */
  readonly report: string | undefined;
  readonly parts: AsyncDisposableStack;
};

const write = (text: string): void => void process.stdout.write(text);
const print = (text: string): void => write(`${text}\n`);

try {
  await run();
} catch (error) {
  const { message, exitStatus } = asJanusError(error);
  const plain = error instanceof Error && !(error instanceof JanusError) ? error.message : message;
  process.stderr.write(`demo: ${plain}\n`);
  process.exitCode = exitStatus;
}
// Whatever still waits for a deadline, there is nothing left to wait for.
process.exit();

async function run(): Promise<void> {
  const { help, ...options } = readOptions();
  if (help) return print(HELP);
  const ended = Promise.withResolvers<undefined>();
  for (const signal of SIGNALS) process.on(signal, () => ended.resolve(undefined));
  // Nobody reads any more, as in `bun run demo | head`.
  process.stdout.on("error", () => ended.resolve(undefined));
  print("The demo of Janus is starting. On a slow machine this takes a minute or two.");
  const folder = mkdtempSync(join(tmpdir(), "janus-demo-"));
  try {
    // What is still starting when a signal comes ends with the process.
    const demo = await Promise.race([startDemo(options, folder), ended.promise]);
    if (demo !== undefined) print(describe(demo));
    await ended.promise;
    await demo?.parts.disposeAsync();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  print("\nThe demo has ended, and left nothing behind.");
}

function readOptions(): Options & { readonly help: boolean } {
  try {
    const { port, doctor = false, verbose = false, help = false } = parseArgs({ options: OPTIONS }).values;
    return { port: port === undefined ? undefined : readPort(port), doctor, verbose, help };
  } catch (error) {
    throw error instanceof JanusError
      ? error
      : usage(`${error instanceof Error ? error.message : "unreadable options"}. See --help.`);
  }
}

function readPort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= MAX_PORT) return port;
  throw usage(`--port must be a number from 0 to ${MAX_PORT}; 0 takes any free port.`);
}

function describe({ guideUrl, appUrl, accountUrl, report }: Demo): string {
  return `${report === undefined ? "" : `\n${report}\n`}
  Open  ${guideUrl}

That page says who can sign in, and what to expect of each. It leads to the stand-in for Discord, where a member begins:
follow "Linked Roles: verify", authorize Janus, sign in with the password demo, and click Link when you are back.

What Discord believes: ${appUrl}#believes
The member's own page, once signed in, is at Janus: ${accountUrl}
Ctrl-C ends it.`;
}

/** Starts everything; where we chose Janus's port and another program was faster, on another one. */
async function startDemo(options: Options, folder: string): Promise<Demo> {
  // Libraries read the environment too, such as PGHOST and HTTP_PROXY: none of it may reach what runs here.
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (let tries = 1; ; tries += 1) {
    try {
      return await startParts(options, folder);
    } catch (error) {
      const isTaken = asJanusError(error).code === "address_in_use" && !options.port;
      if (!isTaken || tries === TRIES) throw error;
    }
  }
}

async function startParts({ port, doctor, verbose }: Options, folder: string): Promise<Demo> {
  // The lines of a log would end up in the middle of a step's.
  const step = createSteps(write, process.stdout.isTTY && !verbose);
  await using parts = new AsyncDisposableStack();
  const held = holdPort(port);
  parts.defer(() => held.stop(true));
  const url = held.url.origin;
  const [discordSecret, oidcSecret, botToken] = [randomKey(), randomKey(), randomKey()];
  const [discordPort, providerPort, guidePort] = neighbours(port ?? FRIENDLY_PORT);
  const rulesFile = join(folder, "rules.toml");
  writeFileSync(rulesFile, readDemoRules());

  const discord = await step("Discord, played by a stand-in", () =>
    withPort(discordPort, (port) =>
      startDiscord({
        port,
        clientId: DISCORD_CLIENT_ID,
        clientSecret: discordSecret,
        botToken,
        users: DISCORD_USERS,
        memberKey: MEMBER_KEY,
        redirectUris: [`${url}/discord-oauth-callback`, `${url}/login`],
      }),
    ),
  );
  parts.defer(discord.stop);
  const provider = await step("the OpenID Provider", () =>
    withPort(providerPort, (port) =>
      startProvider({
        port,
        clientId: OIDC_CLIENT_ID,
        clientSecret: oidcSecret,
        users: PEOPLE,
        redirectUris: [`${url}/dsek-oauth-callback`],
      }),
    ),
  );
  parts.defer(provider.stop);

  const environment = {
    PUBLIC_URL: url,
    HOST,
    PORT: String(held.port),
    DATA_DIR: folder,
    PLATFORM_NAME,
    RULES_FILE: rulesFile,
    DRAIN_SECONDS: "0",
    DISCORD_CLIENT_ID,
    DISCORD_CLIENT_SECRET: discordSecret,
    // With it Janus asks Discord for the records, which no janus register has put.
    DISCORD_BOT_TOKEN: botToken,
    DISCORD_API_URL: discord.apiUrl,
    DISCORD_AUTHORIZE_URL: discord.authorizeUrl,
    DISCORD_CDN_URL: discord.cdnUrl,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID,
    OIDC_CLIENT_SECRET: oidcSecret,
    // The rules read the member's address.
    OIDC_SCOPES: "openid profile email offline_access",
    TOKEN_KEYS: `k1:${randomKey()}`,
    COOKIE_SECRET: randomKey(),
  };
  const configuration = await readConfiguration(environment);
  const world = createWorld(verbose);
  const application = { ...world, clientId: DISCORD_CLIENT_ID, apiUrl: discord.apiUrl, publicUrl: url };
  await step("the metadata records, registered with Discord", () =>
    putMetadataRecords(application, botToken, recordsOf(configuration.rules)),
  );
  await held.stop(true);
  const janus = await step("the embedded database", () => startServer(configuration, createApp, world));
  parts.defer(janus.stop);
  await step("Janus", () => janus.ready);
  const appUrl = `${discord.url}/app`;
  const guide = await withPort(guidePort, (port) =>
    startGuide(port, () => guidePage(configuration.rules, PEOPLE, appUrl)),
  );
  parts.defer(() => guide.stop(true));
  const report = doctor ? await step("the doctor", () => askDoctor(environment, world)) : undefined;
  return { guideUrl: guide.url.href, appUrl, accountUrl: `${url}/account`, report, parts: parts.move() };
}

async function askDoctor(environment: Readonly<Record<string, string>>, world: World): Promise<string> {
  const settings = await readSettings([{ file: undefined, variables: environment }]);
  return formatReport(await examine({ settings, world, open: openDatabase }), false);
}

function createWorld(verbose: boolean): World {
  const now = (): Date => new Date();
  const log = createLog(verbose ? "debug" : "silent", (line) => void process.stdout.write(line), now);
  return { fetch: (url, init) => fetch(url, init), now, sleep: Bun.sleep, log, version };
}

/** Janus's port, held until Janus takes it: its address must be known to both the others before. */
function holdPort(port: number | undefined) {
  const hold = (port: number) =>
    Bun.serve({ hostname: HOST, port, fetch: () => new Response(null, { status: 503 }) });
  try {
    return port === undefined ? hold(FRIENDLY_PORT) : hold(port);
  } catch (error) {
    if (port === undefined) return hold(0);
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw addressInUse(
      `Port ${port} is taken or may not be used (${why}): choose another one, or leave --port out.`,
      error,
    );
  }
}

/** The three ports after Janus's; any, where that is any or there are none. */
function neighbours(port: number): readonly [number, number, number] {
  return port === 0 || port + 3 > MAX_PORT ? [0, 0, 0] : [port + 1, port + 2, port + 3];
}

/** Starts on this port, or on any where it is taken. */
async function withPort<Part>(port: number, start: (port: number) => Part | Promise<Part>): Promise<Part> {
  try {
    return await start(port);
  } catch (error) {
    if (port === 0) throw error;
    return await start(0);
  }
}

function randomKey(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}
