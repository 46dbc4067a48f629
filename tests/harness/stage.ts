/**
 * What the browser tests play on: Janus with an empty database, between Discord and a provider, and members' browsers,
 * which write down whatever they should not have met; and what a member clicks at either side.
 */
import { afterAll, beforeAll } from "bun:test";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { putMetadataRecords } from "../../lib/discord/metadata_records.ts";
import type { Fetch } from "../../lib/oauth/upstream.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { DESKTOP, findChromium, launchChromium, NO_CHROMIUM, QUIET, watch } from "./chromium.ts";
import type { TestDatabase } from "./database.ts";
import { createTestDatabase, emptyDatabase } from "./database.ts";
import { CANARY, DISCORD_CLIENT_ID, startJanus } from "./janus.ts";

/** A browser and a database for the tests of one file; where there is no Chromium a developer is told so. */
export function createTheatre(tests: string) {
  // In CI it is a fault.
  const isSkipped = findChromium() === undefined && !process.env.CI;
  if (isSkipped) console.warn(`${tests} are skipped. ${NO_CHROMIUM}`);
  let browser: Browser;
  let database: TestDatabase;
  beforeAll(async () => {
    if (isSkipped) return;
    browser = await launchChromium();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await browser?.close();
    await database?.drop();
  });

  /** `fetch` and `environment` are Janus's own; `onContext` sees every new browser. */
  const setStage = async ({
    fetch: ask = (address, init) => fetch(address, init),
    environment = {},
    onContext = () => undefined,
  }: {
    readonly fetch?: Fetch;
    readonly environment?: Readonly<Record<string, string>>;
    readonly onContext?: (context: BrowserContext) => void;
  } = {}) => {
    await emptyDatabase(database);
    // The certified provider gives a refresh token with consent alone, which Janus asks for where the scope is configured.
    const scopes = { OIDC_SCOPES: "openid profile offline_access" };
    const janus = await startJanus({ database, fetch: ask, environment: { ...scopes, ...environment } });
    await registerMetadata(janus);
    const faults: string[] = [];
    const contexts: BrowserContext[] = [];
    return {
      janus,
      faults,
      member: async (options: BrowserContextOptions = {}) => {
        const context = await browser.newContext({
          locale: "en-GB",
          viewport: DESKTOP,
          ...QUIET,
          ...options,
        });
        contexts.push(context);
        watch(context, faults);
        onContext(context);
        return context;
      },
      strike: async () => {
        await Promise.all(contexts.map((context) => context.close()));
        await janus.stop();
      },
    };
  };
  return { isSkipped, setStage };
}

async function registerMetadata({ deps, discord, url }: Awaited<ReturnType<typeof startJanus>>) {
  const world = {
    clientId: DISCORD_CLIENT_ID,
    apiUrl: discord.apiUrl,
    publicUrl: url,
    version: "0.0.0-test",
    fetch: (address: string, init: RequestInit) => fetch(address, init),
  };
  await putMetadataRecords({ ...deps, ...world }, CANARY.botToken, DEFAULT_RECORDS);
}

/** Says yes at Discord, as one of its accounts. */
export const approve = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name: `Authorize as ${name}` }).click();

/** Signs in at the provider. */
export async function signIn(page: Page, login: string): Promise<void> {
  await page.getByLabel("Username").fill(login);
  await page.getByLabel("Password").fill("demo");
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Presses a link or a button by its whole name. */
export const press = (page: Page, name: string): Promise<void> =>
  page
    .getByRole("link", { name, exact: true })
    .or(page.getByRole("button", { name, exact: true }))
    .click();
