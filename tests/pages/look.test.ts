/** The organisation's own look: an accent that can be read in every theme, a logo, and where members can ask. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { contrastOf, findAccent, LEAST_CONTRAST, THEMES } from "../../lib/pages/accent.ts";
import { renderCancelled, renderError } from "../../lib/pages/error.tsx";
import { lookOf } from "../../lib/pages/look.ts";
import { renderUnlinked } from "../../lib/pages/member.tsx";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { readText } from "../fixtures/source.ts";
import { linksOf } from "../harness/html.ts";
import { contextIn, lookWith, OWN_LOOK, PLAIN } from "./samples.ts";

const PART_CONTRAST = 3;
const css = await readText("lib/pages/style.css");
const [light = "", dark = ""] = /:root \{[\s\S]*?\n\}[\s\S]*?:root \{[\s\S]*?\n {2}\}/
  .exec(css)?.[0]
  .split("@media") ?? [""];

/** The value of a custom property of a theme, as `style.css` has it. */
const propertyOf = (name: string, theme: "light" | "dark"): string =>
  new RegExp(`${name}: (#[0-9a-f]{6});`).exec(theme === "light" ? light : dark)?.[1] ?? "none";

const color = fc
  .integer({ min: 0, max: 0xff_ff_ff })
  .map((value) => `#${value.toString(16).padStart(6, "0")}`);

describe("contrastOf()", () => {
  // The ratios that WebAIM's and the W3C's own tools give.
  test.each([
    ["#000000", "#ffffff", 21],
    ["#ffffff", "#ffffff", 1],
    ["#777777", "#ffffff", 4.48],
    ["#0000ff", "#ffffff", 8.59],
    ["#ff0000", "#000000", 5.25],
  ])("of %s and %s is %d, either way round", (one, other, ratio) => {
    expect(contrastOf(one, other)).toBeCloseTo(ratio, 2);
    expect(contrastOf(other, one)).toBeCloseTo(ratio, 2);
  });
});

describe.each(["light", "dark"] as const)("findAccent() in the %s theme", (name) => {
  const theme = THEMES[name];
  const [card, page, onAccent] = ["--card", "--page", "--on-accent"].map((property) =>
    propertyOf(property, name),
  );

  test("knows the card of the style", () => {
    expect(card).toBe(theme.card);
  });

  test("makes shades of any colour that reach WCAG AA, also under the pointer", () => {
    fc.assert(
      fc.property(color, (chosen) => {
        const { accent, hover } = findAccent(chosen, theme);

        expect(contrastOf(accent, theme.card)).toBeGreaterThanOrEqual(LEAST_CONTRAST);
        for (const shade of [accent, hover]) {
          expect(contrastOf(shade, onAccent ?? "")).toBeGreaterThanOrEqual(LEAST_CONTRAST);
          expect(contrastOf(shade, page ?? "")).toBeGreaterThanOrEqual(PART_CONTRAST);
          expect(contrastOf(shade, theme.card)).toBeGreaterThanOrEqual(PART_CONTRAST);
        }
        expect(contrastOf(hover, accent)).toBeGreaterThan(1.05);
      }),
      { numRuns: 3_000, examples: [["#000000"], ["#ffffff"], [theme.card], ["#7f7f7f"]] },
    );
  });

  test("keeps a colour that can be read as it is", () => {
    fc.assert(
      fc.property(color, (chosen) => {
        fc.pre(contrastOf(chosen, theme.card) >= LEAST_CONTRAST);

        expect(findAccent(chosen, theme).accent).toBe(chosen);
      }),
      { numRuns: 300 },
    );
  });
});

describe("lookOf()", () => {
  const choices = {
    platformLogo: undefined,
    platformColor: undefined,
    supportUrl: undefined,
    privacyUrl: undefined,
  };

  test("is worked out once for a configuration", () => {
    expect(lookOf(choices)).toBe(lookOf(choices));
    expect(lookOf({ ...choices })).not.toBe(lookOf(choices));
  });

  test("has the style as it is where no colour is chosen", () => {
    expect(lookOf(choices).css).toBe(css);
    expect(OWN_LOOK.css).toStartWith(css);
    expect(OWN_LOOK.css).not.toBe(css);
  });

  test("gives each logo a path of its own, with the ending of its type", () => {
    const pathOf = (content: number, type: "image/png" | "image/svg+xml") =>
      lookWith({ platformLogo: { bytes: Uint8Array.of(content), type } }).logo?.path;

    expect(pathOf(1, "image/png")).toMatch(/^\/assets\/logo-[0-9a-f]{16}\.png$/);
    expect(pathOf(1, "image/svg+xml")).toBe(pathOf(1, "image/png")?.replace("png", "svg"));
    expect(pathOf(2, "image/png")).not.toBe(pathOf(1, "image/png"));
    expect(lookWith().logo).toBeUndefined();
  });
});

describe.each([...LANGUAGES])("a text that says to ask the organisation, in %s", (language) => {
  const MAIL = "mailto:help@example.org";
  const WEB = "https://example.org/help";
  const contextWith = (supportUrl: string | undefined) =>
    contextIn(language, { ...PLAIN, requestId: "request-1+=" }, lookWith({ supportUrl }));
  const pages = (supportUrl: string | undefined) => {
    const context = contextWith(supportUrl);
    return [
      renderError(context, "provider_misconfigured"),
      renderError(context, "internal"),
      renderError(context, "database_not_migrated"),
      renderCancelled(context, { at: "provider" }),
      renderUnlinked(context, { discordTold: true, roleMayStay: true }),
    ];
  };

  test("leads to the page for support", async () => {
    for (const html of pages(WEB)) expect(await linksOf(html)).toContain(WEB);
    for (const html of pages(WEB))
      expect(html).toMatch(/<a href="[^"]+help"><bdi[^>]*>D-sektionen<\/bdi><\/a>/);
  });

  test("leads to an e-mail that quotes the request ID", async () => {
    for (const html of pages(MAIL)) {
      const [mail = ""] = (await linksOf(html)).filter((link) => link.startsWith("mailto:"));
      const url = new URL(mail);

      expect(url.pathname).toBe("help@example.org");
      expect(decodeURIComponent(url.search)).toBe(`?subject=Janus, ${TEXTS[language].requestId} request-1+=`);
      // In a mailto: address a plus sign is a plus sign. RFC 6068 5
      expect(url.search).not.toMatch(/[ +]/);
    }
  });

  test("leads nowhere where no place is set", async () => {
    for (const html of pages(undefined)) {
      expect((await linksOf(html)).filter((link) => !link.startsWith("/"))).toEqual([]);
      expect(html).not.toContain("{contact}");
    }
  });

  test("is the same for an error without such a text", async () => {
    const html = renderError(contextWith(WEB), "too_busy");

    expect(await linksOf(html)).not.toContain(WEB);
  });
});
