/**
 * What pages promise to those who see them in Chromium, and to those who do not: kinds that can be told apart without
 * colours, buttons that Space presses, notices that are announced, and nothing that shuts somebody out.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Locator, Page } from "playwright-core";
import { pageCsp } from "../../lib/pages/look.ts";
import { sayPlain, TEXTS } from "../../lib/pages/texts/languages.ts";
import { NOTICES } from "../../lib/result/notice.ts";
import { findBarriers, findChromium, launchChromium, PHONE, QUIET } from "../harness/chromium.ts";
import { everyPage, lookWith, PLAIN } from "./samples.ts";

const isSkipped = findChromium() === undefined && !process.env.CI;
/** One page of each structure: the others differ from these in words alone. */
const NAMES = [
  ...["home", "linked", "conflict", "sign-in", "unlink question", "unlinked", "another account"],
  ...["account", "account, not linked", "account, Discord silent", "account, synced", "account, sync_failed"],
  ...["cancelled at provider", "unauthenticated", "flow_finished", "internal"],
];
const FORCED = { forcedColors: "active" } as const;
const THEMES = [{ colorScheme: "light" }, { colorScheme: "dark" }, FORCED] as const;

const everything = everyPage("en", { ...PLAIN, avatarUrl: "data:," });
const pages = NAMES.map((name) => [name, everything[name] ?? ""] as const);

let browser: Browser;
/** Serves the page of each name, and writes down which forms were sent. */
let server: Bun.Server<undefined>;
const sent: string[] = [];
beforeAll(async () => {
  if (isSkipped) return;
  browser = await launchChromium();
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      const html = everything[decodeURIComponent(pathname.slice(1))];
      if (html === undefined) sent.push(`${request.method} ${pathname}`);
      const headers = { "content-type": "text/html", "content-security-policy": pageCsp(lookWith()) };
      return new Response(html ?? "<!doctype html>there", { headers });
    },
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop(true);
});

async function open(page: Page, name: string): Promise<void> {
  await page.goto(`${server.url}${encodeURIComponent(name)}`);
}

/** How an element looks, without any colour. */
const shapeOf = (element: Locator): Promise<string> =>
  element.evaluate((node) => {
    const { borderTopStyle, borderTopWidth, fontWeight, textDecorationLine } = getComputedStyle(node);
    return [borderTopStyle, borderTopWidth, fontWeight, textDecorationLine].join(" ");
  });

/** The borders that can be seen, of everything that a background sets apart elsewhere. */
const edgesOf = (page: Page, selector: string): Promise<readonly boolean[]> =>
  page.locator(selector).evaluateAll((nodes) =>
    nodes.map((node) => {
      const { borderTopColor, borderTopStyle, borderTopWidth } = getComputedStyle(node);
      const behind = getComputedStyle(document.body).backgroundColor;
      const isDrawn = borderTopStyle !== "none" && Number.parseFloat(borderTopWidth) > 0;
      return isDrawn && borderTopColor !== behind && !/rgba\(.*, 0\)/.test(borderTopColor);
    }),
  );

describe.skipIf(isSkipped)("in Chromium", () => {
  test("kinds of buttons differ in more than colour where colours are forced", async () => {
    const page = await browser.newPage({ ...QUIET, ...FORCED });
    const shapes = new Set<string>();
    for (const [name, selector] of [
      ["conflict", ".button:not(.quiet, .danger)"],
      ["unlink question", ".button.danger"],
      ["account", ".button.quiet"],
    ] as const) {
      await open(page, name);
      shapes.add(await shapeOf(page.locator(selector).first()));
      expect(await edgesOf(page, ".button")).not.toContain(false);
    }

    expect(shapes.size).toBe(3);
    await page.close();
  });

  test("badges, accounts and notices keep an edge where colours are forced", async () => {
    const page = await browser.newPage({ ...QUIET, ...FORCED });
    const found: string[] = [];
    for (const [name] of pages) {
      await open(page, name);
      for (const selector of [".badge", ".accounts", ".notice", "main"]) {
        const edges = await edgesOf(page, selector);
        expect([name, selector, edges.includes(false)]).toEqual([name, selector, false]);
        if (edges.length > 0) found.push(selector);
      }
    }

    expect(new Set(found).size).toBe(4);
    await page.close();
  });

  test("what looks like a button is pressed by Space and by Enter", async () => {
    const page = await browser.newPage({ ...QUIET, javaScriptEnabled: false });
    const pressed = new Set<string>();
    for (const [name, html] of pages.filter(([, html]) => html.includes('class="button'))) {
      const count = html.split('class="button').length - 1;
      for (let at = 0; at < count; at += 1) {
        await open(page, name);
        const button = page.locator(".button").nth(at);
        const action = await button.evaluate((node) => `${node.outerHTML} ${node.closest("form")?.action}`);
        if (pressed.has(action)) continue;
        pressed.add(action);
        for (const key of ["Space", "Enter"]) {
          await open(page, name);
          await button.focus();
          const from = sent.length;
          await Promise.all([page.waitForURL(/\/(link|account|api)\//), page.keyboard.press(key)]);
          expect([action, key, sent[from]?.split(" ")[0]]).toEqual([
            expect.stringMatching(/^<button /),
            key,
            "POST",
          ]);
        }
      }
    }

    expect(pressed.size).toBeGreaterThanOrEqual(5);
    await page.close();
  });

  test("a link does not look like a button, and one on a line of its own has room for a finger", async () => {
    const page = await browser.newPage(QUIET);
    let ways = 0;
    for (const [name] of pages) {
      await open(page, name);
      const links = await page.locator("main a").evaluateAll((nodes) =>
        nodes.map((node) => ({
          isUnderlined: getComputedStyle(node).textDecorationLine === "underline",
          isButton: node.classList.contains("button"),
        })),
      );
      for (const link of links) expect([name, link]).toEqual([name, { isUnderlined: true, isButton: false }]);
      const sizes = await page
        .locator("main .way")
        .evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().height));
      for (const height of sizes) expect(height).toBeGreaterThanOrEqual(44);
      ways += sizes.length;
    }

    expect(ways).toBeGreaterThan(20);
    await page.close();
  });

  test.each(THEMES)("the focus is seen on everything that the keyboard reaches under %j", async (theme) => {
    const page = await browser.newPage({ ...QUIET, ...theme });
    for (const name of ["conflict", "account", "unlink question", "another account"]) {
      await open(page, name);
      const reachable = await page.locator("a, button").count();
      for (let at = 0; at < reachable; at += 1) {
        await page.keyboard.press("Tab");
        const outline = await page.evaluate(() => {
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement ?? document.body);
          return `${document.activeElement?.tagName} ${outlineStyle} ${outlineWidth}`;
        });
        expect([name, outline]).toEqual([name, expect.stringMatching(/^(A|BUTTON) solid 3px$/)]);
      }
    }
    await page.close();
  });

  test("a notice takes the focus, and stands first on the page and in its title", async () => {
    const page = await browser.newPage({ ...QUIET, javaScriptEnabled: false });
    for (const notice of NOTICES) {
      const text = sayPlain(TEXTS.en.notices[notice], "D-sektionen");
      await open(page, `account, ${notice}`);

      expect(await page.locator(":focus").textContent()).toBe(text);
      expect(await page.locator("main > :first-child").textContent()).toBe(text);
      expect(await page.title()).toStartWith(text);
    }
    await page.close();
  });

  test.each(THEMES)("axe finds nothing that shuts somebody out under %j", async (theme) => {
    const context = await browser.newContext({ ...QUIET, ...theme, viewport: PHONE });
    const page = await context.newPage();
    for (const name of [
      "home",
      "conflict",
      "unlink question",
      "account, synced",
      "account, not linked",
      "internal",
    ]) {
      await open(page, name);
      expect([name, ...(await findBarriers(page))]).toEqual([name]);
    }
    await context.close();
  });
});
