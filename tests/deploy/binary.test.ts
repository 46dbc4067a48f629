/**
 * The binary as an operator gets it: alone in a folder, with nothing of Janus, Bun or the checkout around it. It
 * serves the embedded database, or the PostgreSQL of TEST_DATABASE_URL.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { chmod, copyFile, mkdir, mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { MIGRATIONS } from "../../lib/database/migrations.ts";
import { en } from "../../lib/pages/texts/en.ts";
import packageJson from "../../package.json" with { type: "json" };
import { provideBinary } from "../fixtures/binary.ts";
import type { Entry, Environment, Serving } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { ROOT } from "../fixtures/source.ts";
import { findChromium, launchChromium, NO_CHROMIUM, QUIET, watch } from "../harness/chromium.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import {
  CANARY,
  createBrowser,
  DISCORD_CLIENT_ID,
  environmentFor,
  OIDC_CLIENT_ID,
  USERS,
} from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { approve, signIn } from "../harness/stage.ts";
import { reachProviderCallback } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import { startProvider } from "../standins/provider.ts";

const ANNA = USERS.anna.globalName;

/** Without Chromium the test is skipped with a warning on a developer's machine, and fails in CI. */
const isSkipped = findChromium() === undefined && !process.env.CI;
if (isSkipped) console.warn(`The binary's browser test is skipped. ${NO_CHROMIUM}`);

/** Files that Bun reads in its folder and that the binary must not read. */
const HOSTILE = {
  ".env": "PUBLIC_URL=https://hostile.example.org\nDISCORD_CLIENT_ID=1\nLOG_LEVEL=silent\n",
  "bunfig.toml": 'preload = ["./hostile.ts"]\n',
  "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./hostile.ts"] } } }\n',
  "hostile.ts": "process.exit(3);\n",
};

const top = useFolder("binary");
let built: string;

beforeAll(async () => {
  built = (await provideBinary()).path;
});

/** A folder with the binary in it, and the binary as a command line. */
async function createFolder(): Promise<{ readonly folder: string; readonly janus: Entry }> {
  const folder = await mkdtemp(join(top, "folder-"));
  const binary = join(folder, "janus");
  await copyFile(built, binary);
  return { folder, janus: [binary] };
}

/** The binary between the stand-ins, not yet started: with an empty database, on a port of its own. */
async function setStage() {
  const { folder, janus } = await createFolder();
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const discord = startDiscord({
    clientId: DISCORD_CLIENT_ID,
    clientSecret: CANARY.discordClientSecret,
    botToken: CANARY.botToken,
    redirectUris: [`${url}/discord-oauth-callback`, `${url}/login`],
    users: Object.values(USERS),
  });
  const provider = await startProvider({
    clientId: OIDC_CLIENT_ID,
    clientSecret: CANARY.oidcClientSecret,
    redirectUris: [`${url}/dsek-oauth-callback`],
  });
  const database = onPostgres ? await createTestDatabase({ migrated: false }) : undefined;
  const environment: Environment = {
    ...environmentFor(url, discord, provider.issuer),
    ...(database === undefined ? {} : { DATABASE_URL: database.config.url ?? "" }),
    PORT: String(port),
  };
  const servers: Serving[] = [];
  return {
    folder,
    url,
    discord,
    provider,
    command: (args: readonly string[], more: Environment = {}) =>
      run(folder, janus, args, { ...environment, ...more }),
    start: async () => {
      const server = await serve(folder, environment, { entry: janus });
      servers.push(server);
      await untilReady(server);
      return server;
    },
    strike: async () => {
      await Promise.all(servers.map((server) => server.stop("SIGKILL")));
      await Promise.all([discord.stop(), provider.stop(), database?.drop()]);
    },
  };
}

/** Waits for the provider's discovery, which is loaded after the start. */
async function untilReady(server: Serving): Promise<void> {
  for (;;) {
    const { status } = await server.get("/readyz");
    if (status === 200) return;
    await Bun.sleep(20);
  }
}

describe("the binary", () => {
  test("prints its version and its help, and leaves no files behind", async () => {
    const { folder, janus } = await createFolder();

    const version = await run(folder, janus, ["--version"], {});
    const help = await run(folder, janus, ["--help"], {});

    expect(version).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: "" });
    expect({ exitCode: help.exitCode, stderr: help.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(help.stdout).toContain(`Janus ${packageJson.version}`);
    expect(await readdir(folder)).toEqual(["janus"]);
  });

  test("reads neither .env nor Bun's own files, though Bun itself does", async () => {
    const { folder, janus } = await createFolder();
    for (const [name, text] of Object.entries(HOSTILE)) await Bun.write(join(folder, name), text);
    await Bun.write(join(folder, "probe.ts"), "console.log(process.env.PUBLIC_URL);\n");

    const bun = await run(folder, [process.execPath, "run", "./probe.ts"], [], {});
    const without = await run(folder, janus, [], {});

    expect(bun.exitCode).toBe(3);
    expect(without.exitCode).toBe(2);
    expect(without.stderr).toContain("PUBLIC_URL");
    expect(without.stderr).toContain("DISCORD_CLIENT_ID");
  });

  test("contains no path of the machine that built it", async () => {
    const bytes = Buffer.from(await Bun.file(built).bytes());

    expect(bytes.includes("lib/database/embedded/assets.ts")).toBe(true);
    expect([join(ROOT, "lib"), join(ROOT, "node_modules")].filter((path) => bytes.includes(path))).toEqual(
      [],
    );
  });

  test("migrates, registers, links, and keeps members through kill -9", async () => {
    const stage = await setStage();
    const { discord, url } = stage;
    const [anna, bo] = [createBrowser(url), createBrowser(url)];
    const link = async (browser: typeof anna, id: string, login: string) =>
      browser.get(await reachProviderCallback(browser, id, login));
    const pageOf = async (browser: typeof anna) => {
      const response = await browser.get("/account");
      return { status: response.status, text: await response.text() };
    };
    try {
      const migrated = await stage.command(["migrate", "--json"]);
      const registered = await stage.command(["register"], { DISCORD_BOT_TOKEN: CANARY.botToken });
      const first = await stage.start();
      const linked = await link(anna, USERS.anna.id, "anna");
      const account = await pageOf(anna);
      const ended = await first.stop();
      const second = await stage.start();
      const later = await pageOf(anna);
      const linkedToo = await link(bo, USERS.bo.id, "bo");
      const killed = await second.stop("SIGKILL");
      const third = await stage.start();
      const last = [await pageOf(anna), await pageOf(bo)];
      const gone = await third.stop("SIGINT");

      expect(JSON.parse(migrated.stdout).applied).toHaveLength(MIGRATIONS.length);
      expect(registered.stdout).toContain(DEFAULT_RECORDS[0]?.key ?? "");
      expect([linked.status, linkedToo.status]).toEqual([200, 200]);
      expect(discord.roleConnection(USERS.anna.id)?.metadata).toEqual({ dsek_member: "1" });
      for (const { status, text } of [account, later, ...last]) {
        expect(status).toBe(200);
        // The style sheet is in the page, and in the binary.
        expect(text).toMatch(/<style[^>]*>[^<]{1000}/);
      }
      expect([account.text, later.text, last[0]?.text].every((text) => text?.includes("@anna_d"))).toBe(true);
      expect(last[1]?.text).toContain("@bo_d");
      expect([ended, gone].map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual([
        { exitCode: 0, stderr: "" },
        { exitCode: 0, stderr: "" },
      ]);
      expect(killed.exitCode).not.toBe(0);
      expect((await readdir(stage.folder)).sort()).toEqual(onPostgres ? ["janus"] : ["data", "janus"]);
      expect([...discord.unexpected, ...stage.provider.unexpected]).toEqual([]);
    } finally {
      await stage.strike();
    }
  });

  test.skipIf(isSkipped)("leads a browser from Discord to the role and to the member's page", async () => {
    const stage = await setStage();
    const browser = await launchChromium();
    const faults: string[] = [];
    try {
      await stage.command(["migrate"]);
      await stage.command(["register"], { DISCORD_BOT_TOKEN: CANARY.botToken });
      await stage.start();
      const context = await browser.newContext({ locale: "en-GB", ...QUIET });
      watch(context, faults);
      const page = await context.newPage();

      await page.goto(`${stage.discord.url}/app`);
      await page.getByRole("link", { name: "Linked Roles: verify" }).click();
      await approve(page, ANNA);
      await signIn(page, "anna");
      const linked = await headingOf(page);
      await page.getByRole("link", { name: en.buttons.backToDiscord }).click();
      await page.getByRole("button", { name: `Link ${ANNA}` }).click();
      await page.goto(`${stage.url}/account`);
      const account = await headingOf(page);

      expect(linked).toBe(en.linked.title);
      expect(stage.discord.hasRole(USERS.anna.id)).toBe(true);
      expect(account).toBe(en.account.title);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      await stage.strike();
    }
  });

  // A test cannot take the rights of root away from files; it can become somebody else.
  const isRoot = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
  const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const unfriendly = { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", TMPDIR: "/nowhere" };

  test("migrates as nobody, read-only, in Turkish, without home or TMPDIR", async () => {
    const { folder, janus } = await createFolder();
    const dataDir = join(top, `data-${crypto.randomUUID()}`);
    await mkdir(dataDir, { mode: 0o777 });
    await Promise.all([chmod(top, 0o755), chmod(dataDir, 0o777), chmod(folder, 0o555)]);
    const somebody = isRoot ? [...NOBODY, ...janus] : janus;
    const environment = { ...unfriendly, PATH: process.env.PATH ?? "", DATA_DIR: dataDir };

    const migrated = await run(folder, somebody, ["migrate", "--json"], environment);
    const refused = await run(folder, somebody, ["migrate"], { ...environment, DATA_DIR: "./data" });
    // Only root could remove it otherwise.
    await chmod(folder, 0o755);

    expect(migrated).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(migrated.stdout).applied).toHaveLength(MIGRATIONS.length);
    expect({ exitCode: refused.exitCode, stderr: refused.stderr }).toEqual({
      exitCode: 1,
      stderr: "janus: the folder ./data cannot be made: set DATA_DIR to one that can\n",
    });
  });
});

const headingOf = (page: Page) => page.getByRole("heading", { level: 1 }).textContent();
