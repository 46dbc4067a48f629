/**
 * Headless Chromium for the browser tests: the one that the machine has, never a downloaded one. It resolves no name
 * and so reaches nothing but loopback. SCREENSHOTS=<folder> keeps the pictures that a test takes.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { Browser, BrowserContext, Page, ViewportSize } from "playwright-core";
import { chromium } from "playwright-core";

/** The one without windows first: each page of the others costs a window with pages of its own. */
const PATHS = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

/** It only ends a step that hangs. */
const STEP_TIMEOUT_MS = 300_000;

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };
/** A phone as narrow as phones get. */
const NARROW = { width: 320, height: 640 };
/** Nothing moves: a colour on its way to another is no contrast to measure. */
export const QUIET = { reducedMotion: "reduce" } as const;
export const NO_CHROMIUM = "No Chromium is found: install one, or set CHROMIUM to its path.";

/** The path of Chromium: CHROMIUM, else where it usually is; undefined where there is none. */
export function findChromium(): string | undefined {
  return process.env.CHROMIUM || PATHS.find((path) => existsSync(path));
}

/** Starts Chromium without a profile. Throws where there is none. `fingerprints`: certificates to trust, by public key. */
export async function launchChromium(fingerprints: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  return await chromium.launch({
    executablePath,
    args: [...FLAGS, ...trustFlags(fingerprints)],
    timeout: STEP_TIMEOUT_MS,
  });
}

const trustFlags = (fingerprints: readonly string[]): string[] =>
  fingerprints.length === 0 ? [] : [`--ignore-certificate-errors-spki-list=${fingerprints.join(",")}`];

/** Writes down what no page may do: errors on the console, requests that fail, for a script, or to any other host. */
export function watch(context: BrowserContext, faults: string[]): void {
  context.setDefaultTimeout(STEP_TIMEOUT_MS);
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") faults.push(`a request to ${request.url()}`);
    if (request.resourceType() === "script") faults.push(`a script from ${request.url()}`);
  });
  context.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    // Chromium calls aborted what becomes a download, and a picture whose page is left before it is there.
    const mayEnd = request.isNavigationRequest() || request.resourceType() === "image";
    if (!(mayEnd && reason === "net::ERR_ABORTED")) faults.push(`failed: ${request.url()}: ${reason}`);
  });
  context.on("console", (message) => {
    // A page that comes with a status of 4xx is written to the console by the browser itself.
    const isOwnStatus =
      message.location().url === message.page()?.url() && message.text().startsWith("Failed to load");
    if (message.type() === "error" && !isOwnStatus) faults.push(`on the console: ${message.text()}`);
  });
  context.on("weberror", (error) => void faults.push(`thrown: ${error.error().message}`));
}

/** The rules of axe whose result depends on colours. A theme changes nothing else. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** What shuts somebody out of the page: the serious and critical violations that axe finds, by all rules unless given. */
export async function findBarriers(page: Page, rules?: string[]): Promise<readonly string[]> {
  // Legacy mode looks into no frames, of which there are none, and so opens no page of its own.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rules === undefined ? axe : axe.withRules(rules)).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Keeps four pictures of the page, desktop and phone, light and dark, where SCREENSHOTS says so. */
export async function photograph(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  const language = await page.locator("html").getAttribute("lang");
  const viewport = page.viewportSize();
  const wasDark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
  for (const [device, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const file = `${name}-${language}-${device}-${colorScheme}.png`;
      await page.screenshot({ path: join(folder, file), fullPage: true });
    }
  }
  if (viewport) await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme: wasDark ? "dark" : "light" });
}

/** What shuts somebody out of the page at these sizes, light and dark; and whether it is wider than a narrow phone. */
export async function survey(page: Page, sizes: readonly ViewportSize[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const barriers = await findBarriers(page, colorScheme === "light" ? undefined : COLOUR_RULES);
      found.push(...barriers.map((barrier) => `${size.width} ${colorScheme}: ${barrier}`));
    }
  }
  await page.setViewportSize(NARROW);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  return overflow > 0 ? [...found, `${NARROW.width}: ${overflow} px too wide`] : found;
}

/** Presses Tab until what has this name has the focus, which must be seen. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const target = page
    .getByRole("link", { name, exact: true })
    .or(page.getByRole("button", { name, exact: true }))
    .or(page.getByLabel(name));
  const element = await target.elementHandle();
  const unfocused = await target.evaluate(focusStyle);
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press("Tab");
    if (!(await page.evaluate((wanted) => document.activeElement === wanted, element))) continue;
    if ((await target.evaluate(focusStyle)) !== unfocused) return;
    throw new Error(`the focus on ${name} is not to be seen`);
  }
  throw new Error(`Tab does not reach ${name}`);
}

/** What Tab reaches from the top of the page to its end. */
export async function tabOrder(page: Page): Promise<readonly string[]> {
  const names: string[] = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      const element = document.activeElement;
      return element === document.body ? "" : (element?.textContent ?? "");
    });
    if (name === "" || names.includes(name)) return names;
    names.push(name);
  }
}

function focusStyle(element: Element) {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  return outlineStyle === "none" ? boxShadow : `${outlineStyle} ${outlineWidth} ${boxShadow}`;
}

/** Presses a key that leads to another page. */
export async function follow(page: Page, key: "Enter" | "Space"): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
}
