/** The promises of every page, whatever it says: its structure, what it may load, and its texts in each language. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { PAGE_CSP, pageCsp } from "../../lib/pages/frame.tsx";
import { LANGUAGES, TEXTS } from "../../lib/pages/parts.tsx";
import { METADATA_RECORDS } from "../../lib/rules/records.ts";
import { readName } from "../../lib/text/shown_name.ts";
import { activeParts, attributesOf, expectSameStructure, readElements, textOf } from "../harness/html.ts";
import type { Outside } from "./samples.ts";
import { AVATAR_ORIGIN, DISCORD_APP_URL, everyPage, headingOf, outsideOf, PLAIN } from "./samples.ts";

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
    const own = html.replaceAll(DISCORD_APP_URL, "").replaceAll(PLAIN.avatarUrl, "");
    expect(own).not.toMatch(/(https?:)?\/\/[a-z]/i);
    expect(html).not.toMatch(/url\(|@import/i);
  });

  test.each(pages)("%s has the style of its policy", (_, html) => {
    const styles = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style = ""]) => style);
    const hashes = styles.map((style) => `'sha256-${createHash("sha256").update(style).digest("base64")}'`);

    expect(hashes).toHaveLength(1);
    for (const policy of [PAGE_CSP, pageCsp(AVATAR_ORIGIN)])
      expect(policy).toContain(`style-src ${hashes[0]};`);
  });

  test.each(pages)("%s leaves no placeholder", (_, html) => {
    const body = html.slice(html.indexOf("<body>"));

    expect(body).not.toMatch(/\{\w*\}|undefined|\[object|>null<|Invalid Date|NaN/);
  });

  test.each(pages)("%s names no internals", (_, html) => {
    expect(textOf(html)).not.toMatch(
      /OAuth|OpenID|token|scope|callback|HTTP|SQL|Authentik|metadata|session|dsek_member/i,
    );
  });

  test.each(pages)("%s acts by form posts alone", async (_, html) => {
    const elements = await readElements(html);
    const buttons = attributesOf(elements, "button");

    for (const { method, action } of attributesOf(elements, "form")) {
      expect(method).toBe("post");
      expect(action).toMatch(/^\/(api|account|link)\//);
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
    for (const text of HOSTILE_TEXTS)
      await expectSameStructure(everyPage(language, outsideOf(text)), everyPage(language, PLAIN));
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
    });

    await fc.assert(
      fc.asyncProperty(arbitrary, (outside) =>
        expectSameStructure(everyPage(language, outside), everyPage(language, PLAIN)),
      ),
      { numRuns: 50 },
    );
  });

  test("no name turns what is around it", () => {
    const { platformName, requestId, formState } = PLAIN;
    const outside = { ...outsideOf("\u202Eelin"), platformName, requestId, formState };
    const hostile = everyPage(language, outside);

    for (const html of Object.values(hostile))
      expect(html.replaceAll(/src="[^"]*"/g, "")).not.toMatch(/\p{Bidi_Control}/u);
    expect(hostile.account?.split("elin").length).toBeGreaterThan(4);
    expect(hostile.conflict?.split("elin").length).toBeGreaterThan(4);
  });
});

describe("the texts", () => {
  test.each([...LANGUAGES])("in %s are whole, and differ from those in other languages", (language) => {
    const own = leavesOf(TEXTS[language]);

    for (const other of LANGUAGES.filter((one) => one !== language)) {
      const elsewhere = leavesOf(TEXTS[other]);
      for (const [path, text] of own) {
        expect(text).not.toBeEmpty();
        expect([path, ...placeholdersOf(text)]).toEqual([path, ...placeholdersOf(elsewhere.get(path) ?? "")]);
        expect(elsewhere.get(path)).not.toBe(text);
      }
      expect(elsewhere.size).toBe(own.size);
    }
  });

  test.each([...LANGUAGES])("in %s have a sentence for each metadata record, a yes or a no", (language) => {
    for (const { key, type } of METADATA_RECORDS) {
      expect(TEXTS[language].role.facts[key]).toContain("{other}");
      expect(type).toBe(7);
    }
  });
});

describe("PAGE_CSP and pageCsp()", () => {
  test("allow nothing but the style, the icon and our own forms", () => {
    const directives = PAGE_CSP.split("; ").map((directive) => directive.split(" ")[0]);

    expect(PAGE_CSP).toStartWith("default-src 'none';");
    expect(directives.toSorted()).toEqual([
      "base-uri",
      "default-src",
      "form-action",
      "frame-ancestors",
      "img-src",
      "style-src",
    ]);
    expect(PAGE_CSP).not.toContain("unsafe");
  });

  test("allow the images of one more origin, and nothing else", () => {
    expect(pageCsp(AVATAR_ORIGIN).replace(` ${AVATAR_ORIGIN};`, ";")).toBe(PAGE_CSP);
    expect(pageCsp(AVATAR_ORIGIN)).toContain(`img-src data: ${AVATAR_ORIGIN};`);
    expect(pageCsp()).toBe(PAGE_CSP);
  });
});

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
