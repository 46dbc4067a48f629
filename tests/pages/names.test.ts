/** Names on every page that shows one: a name that nobody can see is no name, and no name breaks where it need not. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Browser, ViewportSize } from "playwright-core";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { DESKTOP, findChromium, launchChromium, PHONE } from "../harness/chromium.ts";
import type { Outside } from "./samples.ts";
import { everyPage, PLAIN } from "./samples.ts";

/** The pages that show a Discord account. The page after a move is that of a finished link. */
const NAMING = ["linked", "conflict", "account", "unlink question"];
const NARROW = { width: 320, height: 640 };

const namesOf = (name: string): Outside => ({
  ...PLAIN,
  ...{ username: name, globalName: name, organisationName: name, userAgent: name },
  ...{ heldUsername: name, heldGlobalName: name, heldOrganisationName: name },
});

/** What Unicode itself calls blank, ignored, a mark or a format, and the few letters and symbols that are drawn as nothing. */
const BLANK =
  /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Mark}\p{Control}\p{Format}\u2800\u{1d159}\u{13441}\u{13442}\ufffc]/u;
const blankPoints = Array.from({ length: 0x11_0000 }, (_, point) => point)
  .filter((point) => point < 0xd800 || point > 0xdfff)
  .map((point) => String.fromCodePoint(point))
  .filter((char) => BLANK.test(char));
const blankName = fc.string({ unit: fc.constantFrom(...blankPoints), maxLength: 20 });

/** The names and other texts from outside that the page isolates, but for the letter in place of a picture. */
const isolatedIn = (html: string): readonly string[] =>
  [...html.replaceAll(/<span class="avatar.*?<\/span>/gs, "").matchAll(/<bdi[^>]*>(.*?)<\/bdi>/gs)].map(
    ([, text = ""]) => text,
  );

describe.each([...LANGUAGES])("every page in %s", (language) => {
  test("takes a name that nobody can see for no name", () => {
    expect(blankPoints.length).toBeGreaterThan(4_000);
    fc.assert(
      fc.property(blankName, (name) => {
        for (const html of Object.values(everyPage(language, namesOf(name))))
          for (const shown of isolatedIn(html)) {
            const ink = [...shown].filter((char) => char !== "@" && !BLANK.test(char));
            expect(ink).not.toBeEmpty();
          }
      }),
      { numRuns: 50 },
    );
  });

  test("isolates every name", () => {
    const pages = Object.values(everyPage(language, namesOf("zqx")));

    expect(pages.filter((html) => html.includes("zqx")).length).toBeGreaterThan(10);
    for (const html of pages) {
      const outside = html
        .replaceAll(/<bdi[^>]*>.*?<\/bdi>/gs, "")
        .replaceAll(/(src|aria-label|value|href)="[^"]*"/g, "");
      expect(outside).not.toContain("zqx");
    }
  });
});

describe("in Chromium", () => {
  const isSkipped = findChromium() === undefined && !process.env.CI;
  let browser: Browser;
  beforeAll(async () => {
    if (!isSkipped) browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** The lines of each username with its parentheses, on each page that shows one, and how much the page is too wide. */
  const linesOf = async (displayName: string, username: string, viewport: ViewportSize) => {
    const discord = { globalName: displayName, username };
    const held = { heldGlobalName: displayName, heldUsername: username };
    const outside = { ...PLAIN, ...discord, ...held, avatarUrl: "data:," };
    const page = await browser.newPage({ viewport });
    const found: { readonly page: string; readonly lines: readonly number[]; readonly overflow: number }[] =
      [];
    for (const name of NAMING) {
      await page.setContent(everyPage("en", outside)[name] ?? "");
      found.push({ page: name, ...(await page.evaluate(measureUsernames)) });
    }
    await page.close();
    return found;
  };

  test.skipIf(isSkipped).each([
    ["Alexander Gustafsson", "alexandergustafsson", DESKTOP],
    ["Alexander Gustafsson", "alexandergustafsson", PHONE],
    ["Alexandergustafsson", "alexander.gustafsson_", DESKTOP],
    ["Alexander Gustafsson", "a_username_of_exactly_32_letters", DESKTOP],
    ["Mmmmmmmmmmmmmmmm Wwwwwwwwwwwwwwww", "mmmm.wwww.mmmm.wwww", DESKTOP],
  ])("%s keeps the username %s in one piece at %j", async (displayName, username, viewport) => {
    const found = await linesOf(displayName, username, viewport);

    for (const { page, lines, overflow } of found)
      expect([page, overflow, ...new Set(lines)]).toEqual([page, 0, 1]);
  });

  test.skipIf(isSkipped).each([
    ["M".repeat(32), "m".repeat(32)],
    ["Alexander Gustafsson", "a_username_of_exactly_32_letters"],
  ])("no page is wider than a narrow phone for %s, %s", async (displayName, username) => {
    const found = await linesOf(displayName, username, NARROW);

    for (const { page, lines, overflow } of found)
      expect([page, overflow, lines.length > 0]).toEqual([page, 0, true]);
  });
});

/** In the page: the number of lines of each username, with the parentheses around it. */
function measureUsernames() {
  const lines: number[] = [];
  for (const bdi of document.querySelectorAll("main bdi")) {
    if (!bdi.textContent?.startsWith("@")) continue;
    const { previousSibling: before, nextSibling: after } = bdi;
    const range = document.createRange();
    range.selectNodeContents(bdi);
    if (before?.textContent?.endsWith("(")) range.setStart(before, before.textContent.length - 1);
    if (after?.textContent?.startsWith(")")) range.setEnd(after, 1);
    lines.push(new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom))).size);
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  return { lines, overflow: scrollWidth - clientWidth };
}
