/** Names from outside: what is taken out of them, which of them show nothing, and that none changes the page around it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Browser } from "playwright-core";
import { readConfig } from "../../lib/config/load.ts";
import { renderConflict, renderLinked } from "../../lib/pages/link.tsx";
import { keepClaims, organisationName } from "../../lib/rules/claims.ts";
import { evaluateRules } from "../../lib/rules/evaluate.ts";
import { buildRoleConnection } from "../../lib/rules/role_connection.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import type { Language } from "../../lib/text/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { cleanName, readName } from "../../lib/text/shown_name.ts";
import { findChromium, launchChromium, PHONE } from "../harness/chromium.ts";
import { useDatabase } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import { createBrowser, environmentFor, startJanusWithForger } from "../harness/janus.ts";
import { callApi } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import { contextIn } from "../pages/samples.ts";

const BREAKING_OUT = "Mallory\u2069\u202e";
/** Every character that Unicode calls a control of direction. */
const DIRECTIONS = [..."\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"];
const CONTROL = /[\p{Bidi_Control}\p{Cc}\p{Zl}\p{Zp}]/u;

/** Names that people have, in scripts that need characters which nobody sees. */
const RIGHT_NAMES = [
  "Anna",
  "D-sektionen",
  "Zoe\u0308 A\u030angstro\u0308m",
  "שלום עליכם",
  "שָׁלוֹם",
  "محمد علي",
  // Persian and Hindi, Sinhala, Malayalam: joiners and non-joiners.
  "می\u200cخواهم",
  "क्\u200dष",
  "ශ්\u200dරී",
  "ന്\u200d",
  "👩\u200d👩\u200d👧",
  "🏳\ufe0f\u200d🌈",
  "❤\ufe0f",
  "1\ufe0f\u20e3",
  // Wales, by tags.
  "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
  // Mongolian with a variation selector, and an ideograph with one.
  "ᠭ\u180bᠠ",
  "葛\u{e0100}城",
  "한글",
  "༄༅།",
  "@_@",
  "—",
];

/** Names of which nothing is to be seen. */
const BLANK_NAMES = [
  ...["", " ", "\u00a0", "\u1680", "\u2003", "\u3000", "\t\n"],
  ...["\u00ad", "\u034f", "\u061c", "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\ufeff"],
  ...["\u2060", "\u2061", "\u2062", "\u2063", "\u2064", "\u2065", "\u206a", "\ufff0", "\ufff9"],
  ...["\u115f", "\u1160", "\u3164", "\uffa0", "\u17b4", "\u2800", "\u{1d159}", "\u{13441}", "\ufffc"],
  ...["\ufe00", "\ufe0f", "\u{e0001}", "\u{e0041}", "\u{e0100}", "\u{1bca0}", "\u{1d173}", "\uffff"],
  ...["\u0301", "\u20e3", "\u0e31", "\u2028", "\u2029", "\u202e", "\u2069", "\0"],
  "\u3164 \u115f\u1160\u200b\u2800",
  "\u2069\u202e\u0301\u0301",
];

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom(
      ...DIRECTIONS,
      "a",
      "ש",
      "\u200d",
      "\u200b",
      "\u3164",
      "\u0301",
      " ",
      "\u2028",
      "\ud800",
    ),
    maxLength: 30,
  }),
);

describe("cleanName()", () => {
  test.each(RIGHT_NAMES)("leaves %j as it is", (name) => {
    expect(cleanName(name)).toBe(name);
    expect(readName(name)).toBe(name);
  });

  test.each(DIRECTIONS.map((direction) => [direction.codePointAt(0)?.toString(16), direction]))(
    "takes out U+%s, wherever it stands",
    (_, direction) => {
      expect(cleanName(`${direction}An${direction}na${direction}`)).toBe("Anna");
    },
  );

  test.each([
    [BREAKING_OUT, "Mallory"],
    ["\u2067Anna\u2069", "Anna"],
    ["Anna\u2028Your role is gone", "AnnaYour role is gone"],
    ["Anna\u2029\n\u0085", "Anna"],
    ["שלום\u200f", "שלום"],
    [" \u200eAnna\u200e ", "Anna"],
    ["An\ud800na", "An\ufffdna"],
  ])("makes %j into %j", (name, clean) => {
    expect(cleanName(name)).toBe(clean);
  });

  test("leaves nothing that turns text, and changes no clean name", () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const clean = cleanName(name);

        expect(clean).not.toMatch(CONTROL);
        expect(clean.isWellFormed()).toBe(true);
        expect(cleanName(clean)).toBe(clean);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("readName()", () => {
  test.each(BLANK_NAMES.map((name) => [name]))("takes %j for no name", (name) => {
    expect(readName(name)).toBeUndefined();
  });

  test.each(BLANK_NAMES.map((name) => [name]))("takes %j and a letter for a name", (name) => {
    expect(readName(`${name}a${name}`)).toContain("a");
  });

  test("gives a visible name or none, and does not change it again", () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const read = readName(name);

        if (read === undefined)
          expect(name).not.toMatch(/[\p{L}--[\u115f\u1160\u3164\uffa0\u{13441}\u{13442}]]/v);
        else expect(readName(read)).toBe(read);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([null, undefined])("takes %p for no name", (name) => {
    expect(readName(name)).toBeUndefined();
  });
});

const AT = new Date("2026-11-28T12:00:00Z");

describe("organisationName()", () => {
  test("cleans the claims that are kept whole, and what is pushed of them", () => {
    const claims = { preferred_username: BREAKING_OUT, name: "\u3164" };
    const link = { issuer: "i", subject: "s", sources: {}, linkedAt: AT, now: AT };
    const discord = { id: "1", username: "mallory" };

    const verdict = evaluateRules(DEFAULT_RULES, { ...link, claims, discord });

    expect(keepClaims(DEFAULT_RULES, claims)).toEqual(claims);
    expect(organisationName(claims)).toBe("Mallory");
    expect(buildRoleConnection("D", verdict, undefined).platform_username).toBe("Mallory");
  });

  test.each([
    { name: `${"\u200b".repeat(100)}Anna` },
    { name: 1 },
    { name: ["Anna"], preferred_username: {} },
  ])("gives no name if none can be read: %j", (claims) => {
    expect(organisationName(claims)).toBeUndefined();
  });
});

describe("PLATFORM_NAME", () => {
  const standin = {
    apiUrl: "http://127.0.0.1:9",
    authorizeUrl: "http://127.0.0.1:9",
    cdnUrl: "http://127.0.0.1:9",
  };
  const environment = environmentFor("http://127.0.0.1:9", standin, "http://127.0.0.1:9");
  const read = (name: string) => readConfig({ ...environment, PLATFORM_NAME: name }).platformName;

  test.each([...DIRECTIONS.map((direction) => `D${direction}`), "D\u2028E", BREAKING_OUT])(
    "is refused as %j",
    (name) => {
      expect(() => read(name)).toThrow(
        /PLATFORM_NAME must not contain control characters or marks that change/,
      );
    },
  );

  test.each(["\u200b", "\u2800", "\u3164", "\ufe0f", "\u0301"])(
    "is refused as %j, which has no visible character",
    (name) => {
      expect(() => read(name)).toThrow(/PLATFORM_NAME must contain a visible character/);
    },
  );

  test.each(RIGHT_NAMES)("is accepted as %j", (name) => {
    expect(read(name)).toBe(name);
  });
});

type Names = {
  readonly username: string;
  readonly globalName: string | null;
  readonly organisationName: string;
};
const conflictPage = (language: Language, { username, globalName, organisationName }: Names): string =>
  renderConflict(contextIn(language), {
    discord: { username, globalName },
    organisationName,
    heldByDiscord: { username, globalName },
    heldByOrganisation: { kind: "named", name: organisationName },
    formState: "state-1",
  });
const allOf = (name: string): Names => ({ username: name, globalName: name, organisationName: name });

describe("a page", () => {
  test.each([...LANGUAGES])("holds nothing in %s that turns text, for any names", (language) => {
    fc.assert(
      fc.property(anyText, (name) => {
        const html = conflictPage(language, allOf(name));
        expect(html.slice(html.indexOf("<main>"))).not.toMatch(CONTROL);
      }),
      { numRuns: 200 },
    );
  });

  test.each(BLANK_NAMES.map((name) => [name]))("shows accounts named %j as those without a name", (name) => {
    const unnamed = { discord: { username: "anna_d", globalName: null }, organisationName: null };
    const rest = {
      pushed: true,
      isKnown: true,
      isAgain: false,
      earlierRoleMayStay: false,
      signedIn: false,
      discordAppUrl: "https://discord.test/app",
    };
    const context = contextIn("en");

    const html = renderLinked(context, {
      ...rest,
      discord: { username: "anna_d", globalName: name },
      organisationName: name,
    });

    expect(textOf(html)).toBe(textOf(renderLinked(context, { ...rest, ...unnamed })));
  });
});

describe("in Chromium", () => {
  const isSkipped = findChromium() === undefined && !process.env.CI;
  let browser: Browser;
  beforeAll(async () => {
    if (!isSkipped) browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** Where each character of the page's own text is, names left out: as the lines break, left to right. */
  const layoutOf = async (html: string): Promise<readonly string[]> => {
    const page = await browser.newPage({ viewport: PHONE });
    await page.setContent(html);
    const places = await page.evaluate(`(() => {
      const places = [];
      const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        if (node.parentElement.closest("bdi") !== null) continue;
        for (let at = 0; at < node.data.length; at++) {
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + 1);
          const { left, top, width } = range.getBoundingClientRect();
          places.push([node.data[at], left.toFixed(1), top.toFixed(1), width.toFixed(1)].join(" "));
        }
      }
      return places;
    })()`);
    await page.close();
    return places as readonly string[];
  };

  test
    .skipIf(isSkipped)
    .each([
      BREAKING_OUT,
      "\u2069\u2069\u202eMallory",
      "\u202b\u2067\u2066Mallory",
      "\u200fMal\u061clory\u200f",
      "Mal\u2028lory\u2029",
      "\u202dMallory\u202c\u202c\u202e",
    ])("leaves the warning in place after the name %j", async (name) => {
    for (const language of LANGUAGES) {
      const plain = await layoutOf(conflictPage(language, allOf("Mallory")));

      expect(plain.length).toBeGreaterThan(100);
      expect(await layoutOf(conflictPage(language, allOf(name)))).toEqual([...plain]);
    }
  });

  test.skipIf(isSkipped)("keeps a right-to-left name within its own place", async () => {
    const hebrew = await layoutOf(conflictPage("en", allOf("שלום")));

    const words = hebrew.map((place) => place[0]).join("");
    const line = (from: number) =>
      hebrew.slice(from, from + 6).map((place) => Number(place.split(" ").at(-3)));
    const at = words.indexOf("Your");
    expect(at).toBeGreaterThan(-1);
    expect(line(at)).toEqual(line(at).toSorted((a, b) => a - b));
  });
});

describe("a name of an earlier release", () => {
  const database = useDatabase();

  test("is clean on the page, in the API, and in a push", async () => {
    const janus = await startJanusWithForger({ database });
    const browser = createBrowser(janus.url);
    const user = newUser();
    expect((await browser.get(await reachForgerCallback(browser, user))).status).toBe(200);
    await database.rows(
      `update organisation_account set claims = jsonb_build_object('preferred_username', U&'Mallory!2069!202e' uescape '!')`,
    );
    await database.rows(
      `update discord_account set username = U&'mallory!2069!202e' uescape '!', global_name = U&'!3164' uescape '!'`,
    );
    janus.discord.failNext("get_current_authorization", { status: 503, body: "" }, 3);

    const account = await (await browser.get("/account")).text();
    // Discord answers again.
    const api = await (await callApi(janus, "/api/userinfo", { browser })).json();
    await database.rows("update link set push_due_at = linked_at");
    await runUpkeep(janus.deps);

    expect(account).not.toMatch(/\p{Bidi_Control}/u);
    expect(textOf(account)).toContain("Mallory");
    expect(textOf(account)).toContain("@mallory");
    expect(JSON.stringify(api)).not.toMatch(/\p{Bidi_Control}/u);
    expect(janus.discord.roleConnection(user)?.platform_username).toBe("Mallory");
    await janus.stop();
  });
});
