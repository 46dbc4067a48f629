/**
 * The organisation's own look in a real browser: the logo and several colours, in light, dark and forced colours, on a
 * phone, and twice as large. SCREENSHOTS=<folder> keeps a picture of every page.
 */
import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { en } from "../../lib/pages/texts/en.ts";
import { sv } from "../../lib/pages/texts/sv.ts";
import { PNG, SVG } from "../fixtures/logos.ts";
import { DESKTOP, findBarriers, PHONE, photograph, survey, tabTo } from "../harness/chromium.ts";
import { useFolder } from "../harness/hooks.ts";
import { approve, createTheatre, signIn } from "../harness/stage.ts";

const PLACES = { SUPPORT_URL: "mailto:help@example.org", PRIVACY_URL: "https://example.org/privacy" };
/** One record of each kind, with names as long as Discord takes them, of letters that go the other way. */
const RULES = ["boolean_not_equal", "integer_equal", "datetime_less_than_or_equal"]
  .map((type, index) => {
    const value = ["claims.missing == true", "9007199254740991", "discord.created_at"][index];
    const text = `name = "${"\u05D0".repeat(100)}"\ndescription = "${"W".repeat(200)}"`;
    return `[[record]]\nkey = "r${index}"\ntype = "${type}"\n${text}\nvalue = '${value}'\n`;
  })
  .join("")
  .concat(`[admit]\nwhen = '!("alumni" in claims.groups)'\nmessage.en = "${"Only\\n".repeat(20)}"\n`);

const { isSkipped, setStage } = createTheatre("The browser tests of an organisation's own look");

type Stage = Awaited<ReturnType<typeof setStage>>;

const folder = useFolder("look");
beforeAll(async () => {
  const hostile = SVG.replace(
    "</svg>",
    `<script>document.documentElement.setAttribute("class", "ran")</script></svg>`,
  );
  for (const [name, content] of Object.entries({ svg: SVG, png: PNG, hostile, rules: RULES }))
    await Bun.write(join(folder, name), content);
});

function lookTest(
  name: string,
  environment: () => Readonly<Record<string, string>>,
  walk: (stage: Stage) => Promise<void>,
): void {
  test.skipIf(isSkipped)(name, async () => {
    const stage = await setStage({ environment: environment() });
    try {
      await walk(stage);
      // A logo, a style or an icon that the policy does not allow is written to the console.
      expect(stage.faults).toEqual([]);
    } finally {
      await stage.strike();
    }
  });
}

for (const [color, logo, paths] of [
  ["f280a1", "svg", ["/", "/about", "/nowhere"]],
  ["ffd800", "png", ["/"]],
  ["0b1d4d", "svg", ["/"]],
] as const) {
  lookTest(
    `pages in #${color} with a logo of ${logo} keep nobody out, in any theme`,
    () => ({ ...PLACES, PLATFORM_COLOR: color, PLATFORM_LOGO: join(folder, logo) }),
    async (stage) => {
      const page = await (await stage.member()).newPage();
      for (const path of paths) {
        await page.goto(stage.janus.url + path);
        await photograph(page, `look-${color}-${path.slice(1) || "home"}`);
        expect(await survey(page, [PHONE])).toEqual([]);
        expect(await brokenImages(page)).toBe(0);
      }
      // In the dark theme axe takes the colours of the style for those that the browser has forced.
      await page.emulateMedia({ forcedColors: "active", colorScheme: "light" });
      expect(await findBarriers(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: "dark" });
      expect([await backgroundOf(page, "body"), await backgroundOf(page, ".logo")]).toEqual([
        "rgb(0, 0, 0)",
        "rgb(255, 255, 255)",
      ]);
    },
  );
}

lookTest(
  "a member meets the organisation's look from the first page to the last",
  () => ({ ...PLACES, PLATFORM_COLOR: "f280a1", PLATFORM_LOGO: join(folder, "svg") }),
  async (stage) => {
    const page = await (await stage.member()).newPage();
    await page.goto(`${stage.janus.url}/linked-role`);
    await approve(page, "Anna on Discord");
    await signIn(page, "anna");
    await photograph(page, "look-linked");
    expect(await page.locator("h1").textContent()).toBe(en.linked.title);
    expect(await brokenImages(page)).toBe(0);
    await page.goto(`${stage.janus.url}/account`);
    await photograph(page, "look-account");
    expect(await survey(page, [PHONE])).toEqual([]);
    // The logo, and the avatar of another origin.
    expect(await page.locator("img").count()).toBe(2);
    expect(await brokenImages(page)).toBe(0);
    await page.goto(`${stage.janus.url}/account/unlink`);
    await photograph(page, "look-unlink");
    expect(await survey(page, [PHONE])).toEqual([]);
  },
);

lookTest(
  "the logo is opened as a picture that runs nothing",
  () => ({ PLATFORM_LOGO: join(folder, "hostile") }),
  async (stage) => {
    const context = await stage.member();
    const page = await context.newPage();
    await page.goto(stage.janus.url);
    expect(await brokenImages(page)).toBe(0);
    await page.goto(new URL((await page.locator(".logo").getAttribute("src")) ?? "", stage.janus.url).href);

    expect(await page.locator("path").count()).toBe(2);
    expect(await page.locator("svg").getAttribute("class")).toBeNull();
    expect(await page.evaluate(() => document.cookie === undefined).catch(() => "sandboxed")).toBe(
      "sandboxed",
    );
    // Chromium reports what the policy has kept from running.
    expect(
      stage.faults.filter((fault) => !/Blocked script execution|sandboxed|Content Security/.test(fault)),
    ).toEqual([]);
    stage.faults.length = 0;
  },
);

lookTest(
  "an error page leads to the organisation, with the request ID in the e-mail",
  () => PLACES,
  async (stage) => {
    const page = await (await stage.member({ locale: "sv-SE", viewport: PHONE })).newPage();
    await page.goto(`${stage.janus.url}/linked-role`);
    await approve(page, "Anna on Discord");
    await page.getByRole("button", { name: "Cancel" }).click();
    await photograph(page, "look-cancelled");

    const id = await page.locator(".request code").textContent();
    const mail = await page.locator("main p a").getAttribute("href");
    expect(id).not.toBeEmpty();
    expect(decodeURIComponent(mail ?? "")).toBe(
      `mailto:help@example.org?subject=Janus, ${sv.requestId} ${id}`,
    );
    await tabTo(page, sv.footer.about);
    expect(await page.locator("footer").textContent()).toContain("Janus drivs av D-sektionen.");
  },
);

lookTest(
  "records and a refusal keep nobody out, in any theme and language",
  () => ({ ...PLACES, RULES_FILE: join(folder, "rules") }),
  async (stage) => {
    for (const [locale, login, name] of [
      ["sv-SE", "anna", "rules-linked"],
      ["de-DE", "cleo", "rules-refused"],
    ] as const) {
      const page = await (await stage.member({ locale })).newPage();
      await page.goto(`${stage.janus.url}/linked-role`);
      await approve(page, "Anna on Discord");
      await signIn(page, login);
      if (login === "anna") await page.goto(`${stage.janus.url}/account`);
      await photograph(page, name);

      expect(await survey(page, [PHONE])).toEqual([]);
      await page.emulateMedia({ forcedColors: "active", colorScheme: "light" });
      expect(await findBarriers(page)).toEqual([]);
    }
  },
);

lookTest(
  "the page about Janus says what is stored, in both languages and twice as large",
  () => ({}),
  async (stage) => {
    for (const [locale, texts] of [
      ["en-GB", en],
      ["sv-SE", sv],
    ] as const) {
      const page = await (await stage.member({ locale })).newPage();
      await page.goto(stage.janus.url);
      await page.getByRole("link", { name: texts.home.more, exact: true }).click();
      await photograph(page, "about");

      expect(await page.locator("h1").textContent()).toBe(texts.about.title);
      expect(await survey(page, [PHONE])).toEqual([]);
      // What 200 % leaves of a desktop, and of a phone.
      for (const width of [DESKTOP.width / 2, PHONE.width / 2]) {
        await page.setViewportSize({ width, height: 400 });
        await expectWithin(page);
      }
    }
  },
);

const backgroundOf = (page: Page, selector: string): Promise<string> =>
  page.locator(selector).evaluate((element) => getComputedStyle(element).backgroundColor);

/** Nothing is wider than the window, the footer least of all. */
async function expectWithin(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
}

const brokenImages = (page: Page): Promise<number> =>
  page.evaluate(
    () => [...document.images].filter(({ complete, naturalWidth }) => !complete || naturalWidth === 0).length,
  );
