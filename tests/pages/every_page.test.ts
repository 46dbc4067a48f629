/** The promises of every page, whatever it says: its structure, what it may load, and its texts in each language. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { pageCsp } from "../../lib/pages/look.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { readName } from "../../lib/text/shown_name.ts";
import { activeParts, attributesOf, linksOf, readElements, structuresOf, textOf } from "../harness/html.ts";
import type { Outside } from "./samples.ts";
import {
  AVATAR_ORIGIN,
  DISCORD_APP_URL,
  DISCORD_URL,
  everyPage,
  headingOf,
  lookWith,
  OWN_LOOK,
  outsideOf,
  PLAIN,
} from "./samples.ts";

const PLAIN_LOOK = lookWith();
const LOOKS = { plain: PLAIN_LOOK, own: OWN_LOOK };

const HOSTILE_TEXTS = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</title></style></bdi><h1>Elin</h1>",
  "&lt;b&gt; {platform} {other} $& %s",
  "\u202Egnp.exe",
];

describe.each([...LANGUAGES])("every page in %s", (language) => {
  const pages = Object.entries(everyPage(language, PLAIN));

  test.each(pages)("%s is one well-formed document", async (_, html) => {
    const elements = await readElements(html);

    expect(html).toStartWith("<!doctype html>");
    expect(elements.filter(({ tag }) => tag === "html")).toEqual([
      { tag: "html", attributes: [["lang", language]] },
    ]);
    for (const tag of ["title", "main", "h1"]) expect(attributesOf(elements, tag)).toHaveLength(1);
    expect(html).toMatch(/<title>[^<]+ – Janus<\/title>/);
    expect(headingOf(html)).not.toBeEmpty();
  });

  test.each(pages)("%s loads nothing but an avatar", async (name, html) => {
    const elements = await readElements(html);
    const images = attributesOf(elements, "img");

    expect(activeParts(elements).filter((part) => !["img", "img src"].includes(part))).toEqual([]);
    for (const { src, alt } of images) expect([src, alt]).toEqual([PLAIN.avatarUrl, ""]);
    expect(images.length).toBeLessThanOrEqual(name.startsWith("account") ? 1 : 0);
    const own = html
      .replaceAll(DISCORD_APP_URL, "")
      .replaceAll(DISCORD_URL, "")
      .replaceAll(PLAIN.avatarUrl, "");
    expect(own).not.toMatch(/(https?:)?\/\/[a-z]/i);
    expect(html).not.toMatch(/url\(|@import/i);
  });

  test.each(Object.entries(LOOKS))("has the style of its policy, with the %s look", (_, look) => {
    for (const html of Object.values(everyPage(language, PLAIN, look))) {
      const styles = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style = ""]) => style);
      const hashes = styles.map((style) => `'sha256-${createHash("sha256").update(style).digest("base64")}'`);

      expect(hashes).toHaveLength(1);
      for (const policy of [pageCsp(look), pageCsp(look, AVATAR_ORIGIN)])
        expect(policy).toContain(`style-src ${hashes[0]};`);
    }
  });

  test("ends with who runs Janus, and with links that say more", async () => {
    const { footer } = TEXTS[language];
    const own = Object.entries(everyPage(language, PLAIN, OWN_LOOK));

    for (const [name, html] of pages) {
      expect([name, footerOf(html)]).toEqual([name, [footer.runBy, footer.about].map(named).join(" ")]);
      expect(await footerLinksOf(html)).toEqual(["/about"]);
    }
    for (const [name, html] of own) {
      const whole = [footer.runBy, footer.about, footer.privacy, footer.support];
      expect([name, footerOf(html)]).toEqual([name, whole.map(named).join(" ")]);
      expect(await footerLinksOf(html)).toEqual([
        "/about",
        "https://example.org/privacy",
        "mailto:help@example.org",
      ]);
    }
  });

  test.each(pages)("%s leaves no placeholder", (_, html) => {
    const body = html.slice(html.indexOf("<body"));

    expect(body).not.toMatch(/\{\w*\}|undefined|\[object|>null<|Invalid Date|NaN/);
  });

  // Administrators read the keys of records and the codes of failures.
  const toMembers = pages.filter(([name]) => !name.startsWith("admin, member"));

  test.each(toMembers)("%s names no internals", (_, html) => {
    expect(textOf(html)).not.toMatch(
      /OAuth|OpenID|token|scope|callback|HTTP|SQL|Authentik|metadata|session|dsek_member/i,
    );
  });

  test.each(pages)("%s acts by form posts alone", async (_, html) => {
    const elements = await readElements(html);
    const buttons = attributesOf(elements, "button");

    for (const { method, action } of attributesOf(elements, "form")) {
      // A search changes nothing, so its form is a GET.
      expect([method, action]).toEqual([
        action === "/admin/links" ? "get" : "post",
        expect.stringMatching(/^\/(api|account|link|admin)\//),
      ]);
    }
    // Each form has a button that sends it to its own address, and may have one that sends it elsewhere.
    const [plain, diverted] = [true, false].map((isPlain) =>
      buttons.filter(({ formaction }) => (formaction === undefined) === isPlain),
    );
    expect(plain).toHaveLength(attributesOf(elements, "form").length);
    expect(diverted?.every(({ formaction = "" }) => /^\/link\//.test(formaction))).toBe(true);
    expect(buttons.every(({ type }) => type === "submit")).toBe(true);
  });

  test("hostile texts change no page's structure", async () => {
    const plain = await structuresOf(everyPage(language, PLAIN));

    for (const text of HOSTILE_TEXTS)
      expect(await structuresOf(everyPage(language, outsideOf(text)))).toEqual(plain);
  });

  test("no text from outside changes a page's structure", async () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 100 });
    const markup = fc.string({
      unit: fc.constantFrom(..."<>\"'&/=!-; \u202Ea"),
      minLength: 1,
      maxLength: 40,
    });
    const visible = fc.oneof(text, markup).filter((value) => readName(value) !== undefined);
    const arbitrary = fc.record<Outside>({
      requestId: visible,
      platformName: visible,
      username: visible,
      globalName: visible,
      avatarUrl: visible,
      organisationName: visible,
      heldUsername: visible,
      heldGlobalName: visible,
      heldOrganisationName: visible,
      formState: visible,
      userAgent: visible,
      recordName: visible,
      recordDescription: visible,
      recordValue: visible,
      operatorMessage: visible,
    });

    const plain = await structuresOf(everyPage(language, PLAIN));

    await fc.assert(
      fc.asyncProperty(arbitrary, async (outside) =>
        expect(await structuresOf(everyPage(language, outside))).toEqual(plain),
      ),
      { numRuns: 50 },
    );
  });

  test("no name turns what is around it", () => {
    const { platformName, requestId, formState, operatorMessage } = PLAIN;
    const outside = { ...outsideOf("\u202Eelin"), platformName, requestId, formState, operatorMessage };
    const hostile = everyPage(language, outside);

    for (const html of Object.values(hostile))
      expect(html.replaceAll(/src="[^"]*"/g, "")).not.toMatch(/\p{Bidi_Control}/u);
    expect(hostile.account?.split("elin").length).toBeGreaterThan(4);
    expect(hostile.conflict?.split("elin").length).toBeGreaterThan(4);
    expect(hostile["account, many records"]?.split("elin").length).toBeGreaterThan(10);
  });
});

describe("the texts", () => {
  test.each([...LANGUAGES])("in %s are whole, and none was left in English", (language) => {
    const own = leavesOf(TEXTS[language]);
    const english = leavesOf(TEXTS.en);

    for (const [path, text] of own) {
      expect(text).not.toBeEmpty();
      expect([path, ...placeholdersOf(text)]).toEqual([path, ...placeholdersOf(english.get(path) ?? "")]);
      // Two other languages may share a word: yes is "ja" in more than one.
      if (language !== "en") expect([path, text]).not.toEqual([path, english.get(path) ?? ""]);
    }
    expect(english.size).toBe(own.size);
  });
});

describe("pageCsp()", () => {
  test("allows nothing but the style, the icon and our own forms", () => {
    const directives = pageCsp(PLAIN_LOOK)
      .split("; ")
      .map((directive) => directive.split(" ")[0] ?? "");

    expect(pageCsp(PLAIN_LOOK)).toStartWith("default-src 'none';");
    expect(directives.toSorted()).toEqual([
      "base-uri",
      "default-src",
      "form-action",
      "frame-ancestors",
      "img-src",
      "style-src",
    ]);
    for (const look of Object.values(LOOKS)) expect(pageCsp(look)).not.toContain("unsafe");
  });

  test("allows the images of one more origin, and nothing else", () => {
    const policy = pageCsp(PLAIN_LOOK, AVATAR_ORIGIN);

    expect(policy.replace(` ${AVATAR_ORIGIN};`, ";")).toBe(pageCsp(PLAIN_LOOK));
    expect(policy).toContain(`img-src data: ${AVATAR_ORIGIN};`);
  });

  test("allows images of our own only where there is a logo", () => {
    expect(pageCsp(OWN_LOOK)).toContain("; img-src data: 'self';");
    expect(pageCsp(OWN_LOOK, AVATAR_ORIGIN)).toContain(`; img-src data: 'self' ${AVATAR_ORIGIN};`);
    expect(pageCsp(PLAIN_LOOK)).not.toContain("'self' ");
    expect(pageCsp(lookWith({ platformColor: "#f280a1" }))).toContain("; img-src data:;");
  });
});

const named = (text: string): string => text.replaceAll("{platform}", PLAIN.platformName);

/** What a reader reads in the footer. */
function footerOf(html: string): string {
  const [, footer = ""] = /<footer>(.*)<\/footer>/s.exec(html) ?? [];
  return footer
    .replaceAll(/<\/?bdi[^>]*>/g, "")
    .replaceAll(/(?:<[^>]*>)+/g, " ")
    .trim();
}

const footerLinksOf = (html: string): Promise<readonly string[]> => linksOf(html, "footer");

/** Every text of a tree of texts, by its path. */
function leavesOf(texts: object, path = ""): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(texts)) {
    const here = `${path}.${key}`;
    for (const [leaf, text] of typeof value === "string" ? [[here, value] as const] : leavesOf(value, here)) {
      leaves.set(leaf, text);
    }
  }
  return leaves;
}

function placeholdersOf(text: string): readonly string[] {
  return (text.match(/\{\w+\}/g) ?? []).toSorted();
}
