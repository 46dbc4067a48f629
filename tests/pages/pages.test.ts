import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { PUBLIC_ERROR_CODES } from "../../lib/errors.ts";
import { PAGE_CSP } from "../../lib/pages/frame.tsx";
import {
  type ConflictPage,
  renderCancelled,
  renderConflict,
  renderError,
  renderHome,
  renderLinked,
} from "../../lib/pages/link.tsx";
import { type DiscordName, LANGUAGES, type Language, type PageContext } from "../../lib/pages/parts.tsx";
import { en } from "../../lib/pages/texts/en.ts";
import { sv } from "../../lib/pages/texts/sv.ts";
import { readName } from "../../lib/text/shown_name.ts";
import {
  activeParts,
  attributesOf,
  expectSameStructure,
  linksOf,
  readElements,
  textOf,
} from "../harness/html.ts";

// What takes milliseconds may take seconds on a machine that is busy.
setDefaultTimeout(30_000);

const DISCORD_APP_URL = "https://discord.test/app";
const HOSTILE_NAMES = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</title></style></bdi><h1>Elin</h1>",
  "&lt;b&gt; {platform} {other} $& %s",
  "\u202Egnp.exe",
];

/** What comes from outside, one text for each place where it can stand. */
type Outside = {
  readonly requestId: string;
  readonly platformName: string;
  readonly username: string;
  readonly globalName: string;
  readonly organisationName: string;
  readonly heldUsername: string;
  readonly heldGlobalName: string;
  readonly heldOrganisationName: string;
  readonly formState: string;
};

const PLAIN: Outside = {
  requestId: "request-1",
  platformName: "D-sektionen",
  username: "elin.l",
  globalName: "Elin Lindqvist",
  organisationName: "elili123",
  heldUsername: "elin.old",
  heldGlobalName: "Elin before",
  heldOrganisationName: "elili456",
  formState: "state-1",
};

describe.each([...LANGUAGES])("every page in %s", (language) => {
  const pages = Object.entries(everyPage(language, PLAIN));

  test.each(pages)(
    "%s is one document with its language, one title, one main and one h1",
    async (_, html) => {
      const elements = await readElements(html);

      expect(html).toStartWith("<!doctype html>");
      expect(elements.filter(({ tag }) => tag === "html")).toEqual([
        { tag: "html", attributes: [["lang", language]] },
      ]);
      for (const tag of ["title", "main", "h1"]) {
        expect(elements.filter((element) => element.tag === tag)).toHaveLength(1);
      }
      expect(html).toMatch(/<title>[^<]+ – Janus<\/title>/);
      expect(headingOf(html)).not.toBeEmpty();
    },
  );

  test.each(pages)("%s runs nothing and loads nothing", async (_, html) => {
    const elements = await readElements(html);

    expect(activeParts(elements)).toEqual([]);
    expect(html.replaceAll(DISCORD_APP_URL, "")).not.toMatch(/(https?:)?\/\/[a-z]/i);
    expect(html).not.toMatch(/url\(|@import/i);
  });

  test.each(pages)("%s has the style that PAGE_CSP allows", (_, html) => {
    const styles = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style = ""]) => style);
    const hashes = styles.map((style) => `'sha256-${createHash("sha256").update(style).digest("base64")}'`);

    expect(hashes).toHaveLength(1);
    expect(PAGE_CSP).toContain(`style-src ${hashes[0]};`);
  });

  test.each(pages)("%s leaves no placeholder unfilled", (_, html) => {
    const body = html.slice(html.indexOf("<body>"));

    expect(body).not.toMatch(/\{\w*\}|undefined|\[object|>null</);
  });

  test("PAGE_CSP allows nothing but the style, the icon and our own forms", () => {
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

  test("hostile names change no page's structure", async () => {
    for (const name of HOSTILE_NAMES) {
      await expectSameStructure(everyPage(language, outsideOf(name)), everyPage(language, PLAIN));
    }
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
      organisationName: visible,
      heldUsername: visible,
      heldGlobalName: visible,
      heldOrganisationName: visible,
      formState: visible,
    });

    await fc.assert(
      fc.asyncProperty(arbitrary, (outside) =>
        expectSameStructure(everyPage(language, outside), everyPage(language, PLAIN)),
      ),
      { numRuns: 50 },
    );
  });
});

describe("renderHome()", () => {
  test.each([...LANGUAGES])(
    "leads to the link flow and to the account in %s and names the organisation",
    async (language) => {
      const html = renderHome(contextIn(language));

      expect(await linksOf(html)).toEqual(["/linked-role", "/account"]);
      expect(textOf(html)).toContain("D-sektionen");
    },
  );
});

test("a page's title takes the organisation's name as it is", () => {
  const html = renderError(contextIn("en", { ...PLAIN, platformName: "A $& B" }), "provider_unavailable");

  expect(html).toContain("<title>A $&amp; B is not answering right now – Janus</title>");
});

describe("renderLinked()", () => {
  const page = {
    discord: { username: "elin.l", globalName: "Elin Lindqvist" },
    organisationName: "elili123",
    pushed: true,
    earlierRoleMayStay: false,
    signedIn: false,
    discordAppUrl: DISCORD_APP_URL,
  };

  test.each([...LANGUAGES])("names both accounts and leads back to Discord in %s", async (language) => {
    const html = renderLinked(contextIn(language), page);

    expect(textOf(html)).toContain("Elin Lindqvist (@elin.l)");
    expect(textOf(html)).toContain("elili123");
    expect(await linksOf(html)).toEqual([DISCORD_APP_URL]);
  });

  test.each([...LANGUAGES])("leads to the account in %s once the member is signed in", async (language) => {
    const html = renderLinked(contextIn(language), { ...page, signedIn: true });

    expect(await linksOf(html)).toEqual([DISCORD_APP_URL, "/account"]);
  });

  test.each([true, false])("says to press Discord's own button when pushed is %p", (pushed) => {
    const inEnglish = renderLinked(contextIn("en"), { ...page, pushed });
    const inSwedish = renderLinked(contextIn("sv"), { ...page, pushed });

    expect(textOf(inEnglish)).toMatch(/press Link /);
    expect(textOf(inSwedish)).toMatch(/ Länka \(Link\) /);
  });

  test("says that Janus tries again only when Discord has not taken the update", () => {
    const pushed = renderLinked(contextIn("en"), page);
    const notPushed = renderLinked(contextIn("en"), { ...page, pushed: false });

    expect(textOf(pushed)).not.toContain("tries again");
    expect(textOf(notPushed)).toContain("your link is saved and Janus tries again by itself");
  });

  test("shows the username alone where there is no display name", () => {
    for (const globalName of [null, "", " \u2003"]) {
      const html = renderLinked(contextIn("en"), { ...page, discord: { username: "elin.l", globalName } });

      expect(textOf(html)).toContain("@elin.l");
      expect(textOf(html)).not.toContain("(@elin.l)");
    }
  });

  test("says which account is meant where the organisation gives no name", () => {
    for (const organisationName of [null, "", "\n"]) {
      const html = renderLinked(contextIn("en"), { ...page, organisationName });

      expect(textOf(html)).toContain("The account you signed in with");
    }
  });
});

describe("renderCancelled()", () => {
  test.each([...LANGUAGES])("says where in %s, and offers to try again", async (language) => {
    const atDiscord = renderCancelled(contextIn(language), { at: "discord" });
    const atProvider = renderCancelled(contextIn(language), { at: "provider" });

    expect(headingOf(atDiscord)).toContain("Discord");
    expect(headingOf(atProvider)).toContain("D-sektionen");
    expect(await linksOf(atDiscord)).toEqual(["/linked-role"]);
    expect(await linksOf(atProvider)).toEqual(["/linked-role"]);
  });

  test("does not tell a member whom the organisation refused that they cancelled", () => {
    const inEnglish = textOf(renderCancelled(contextIn("en"), { at: "provider" }));
    const inSwedish = textOf(renderCancelled(contextIn("sv"), { at: "provider" }));

    expect(headingOf(renderCancelled(contextIn("en"), { at: "provider" }))).toBe(
      "You or D-sektionen said no",
    );
    expect(inEnglish).not.toContain("That is fine");
    expect(inEnglish).toContain("Nothing has been linked or changed.");
    expect(inEnglish).toContain("ask D-sektionen why, and quote the request id below.");
    expect(inEnglish).toContain("request-1");
    expect(inSwedish).toContain("Du eller D-sektionen sa nej");
    expect(inSwedish).toContain("Inget har kopplats eller ändrats.");
    expect(inSwedish).toContain("request-1");
  });

  test("stays friendly to a member who cancelled at Discord", () => {
    const text = textOf(renderCancelled(contextIn("en"), { at: "discord" }));

    expect(text).toContain("You cancelled at Discord");
    expect(text).toContain("That is fine");
    expect(text).not.toContain("request-1");
  });
});

describe("a page that offers to begin once more", () => {
  const beginning = { startAgain: "/login", tryAgain: "/account" };

  test.each([
    ["scope_missing", "/login"],
    ["internal", "/account"],
    ["not_found", "/"],
    ["unauthenticated", "/login"],
  ] as const)("leads from %s to %s where it is told so", async (code, path) => {
    expect(await linksOf(renderError(contextIn("en"), code, beginning))).toEqual([path]);
  });

  test.each(["discord", "provider"] as const)(
    "leads from a no at %s to the start of the flow",
    async (at) => {
      expect(await linksOf(renderCancelled(contextIn("sv"), { at }, beginning))).toEqual(["/login"]);
    },
  );
});

describe("renderConflict()", () => {
  const page: ConflictPage = {
    discord: { username: "elin.l", globalName: "Elin Lindqvist" },
    organisationName: "elili123",
    heldByDiscord: { username: "elin.old", globalName: "Elin before" },
    heldByOrganisation: undefined,
    formState: "state-1",
  };

  test("names the Discord account that loses its roles", () => {
    const text = textOf(renderConflict(contextIn("en"), page));

    for (const name of ["Elin Lindqvist (@elin.l)", "elili123", "Elin before (@elin.old)"]) {
      expect(text).toContain(name);
    }
    expect(text).toContain("loses the roles");
    expect(text).not.toContain("no longer linked");
  });

  test("names the organisation account that is no longer linked", () => {
    const text = textOf(
      renderConflict(contextIn("en"), { ...page, heldByDiscord: null, heldByOrganisation: "elili456" }),
    );

    expect(text).toContain("another account at D-sektionen, elili456.");
    expect(text).toContain("no longer linked");
    expect(text).not.toContain("loses the roles");
  });

  test("explains an earlier organisation account that has no name", () => {
    const text = textOf(
      renderConflict(contextIn("en"), { ...page, heldByDiscord: null, heldByOrganisation: null }),
    );

    expect(text).toContain("another account at D-sektionen. If you move");
  });

  test("explains both when both accounts are taken", () => {
    const text = textOf(renderConflict(contextIn("en"), { ...page, heldByOrganisation: "elili456" }));

    expect(text).toContain("loses the roles");
    expect(text).toContain("no longer linked");
  });

  test.each([...LANGUAGES])("moves by a form post only, and can be left, in %s", async (language) => {
    const html = renderConflict(contextIn(language), page);
    const elements = await readElements(html);

    expect(attributesOf(elements, "form")).toEqual([{ method: "post", action: "/link/move" }]);
    expect(attributesOf(elements, "input")).toEqual([{ type: "hidden", name: "state", value: "state-1" }]);
    expect(attributesOf(elements, "button")).toEqual([{ class: "button", type: "submit" }]);
    expect(await linksOf(html)).toEqual(["/"]);
  });
});

describe("renderError()", () => {
  test.each(PUBLIC_ERROR_CODES)("says what happened and what to do for %s, in each language", (code) => {
    for (const part of ["title", "why", "now"] as const) {
      expect(en.errors[code][part]).not.toBeEmpty();
      expect(sv.errors[code][part]).not.toBeEmpty();
      expect(sv.errors[code][part]).not.toBe(en.errors[code][part]);
    }
    expect(headingOf(renderError(contextIn("sv"), code))).not.toBe(
      headingOf(renderError(contextIn("en"), code)),
    );
  });

  test.each(PUBLIC_ERROR_CODES)("names the request id for %s, and no internals", (code) => {
    for (const language of LANGUAGES) {
      const text = textOf(renderError(contextIn(language), code));

      expect(text).toContain("request-1");
      expect(text).not.toContain(code);
      expect(text).not.toMatch(/OAuth|OpenID|token|scope|callback|HTTP|SQL|Authentik/i);
    }
  });

  test.each([
    ["state_mismatch", "may already be linked", ["/account", "/linked-role"]],
    ["flow_finished", "Your accounts may already be linked", ["/account", "/linked-role"]],
    ["flow_expired", "may already be linked", ["/linked-role", "/account"]],
    ["code_rejected", "may already be linked", ["/linked-role", "/account"]],
  ] as const)("leads who reloads a finished page to their link, for %s", async (code, told, links) => {
    expect(textOf(renderError(contextIn("en"), code))).toContain(told);
    for (const language of LANGUAGES) {
      const html = renderError(contextIn(language), code);

      expect(await linksOf(html)).toEqual([...links]);
      expect(textOf(html)).toContain({ en, sv }[language].buttons.checkLink);
    }
  });

  test.each([
    "id_token_unsupported",
    "provider_misconfigured",
    "provider_client_rejected",
    "discord_client_rejected",
  ] as const)("offers no button that cannot help, for %s", async (code) => {
    const html = renderError(contextIn("en"), code);

    expect(textOf(html)).toContain("Contact D-sektionen and quote the request id below.");
    expect(await linksOf(html)).toEqual([]);
  });

  test.each([
    ["unauthenticated", "/login"],
    ["not_linked", "/"],
    ["session_unknown", "/account"],
    ["sync_too_soon", "/account"],
  ] as const)("leads on from %s to %s", async (code, path) => {
    for (const language of LANGUAGES) {
      expect(await linksOf(renderError(contextIn(language), code))).toEqual([path]);
    }
  });

  test.each([
    "provider_unavailable",
    "discord_unavailable",
    "discord_rate_limited",
    "database_unavailable",
  ] as const)("says that nothing is lost, for %s", (code) => {
    expect(textOf(renderError(contextIn("en"), code))).toContain("Nothing has been lost or removed.");
    expect(textOf(renderError(contextIn("sv"), code))).toContain(
      "Inget har gått förlorat eller tagits bort.",
    );
  });
});

function contextIn(language: Language, outside: Outside = PLAIN): PageContext {
  return { language, requestId: outside.requestId, platformName: outside.platformName };
}

function outsideOf(name: string): Outside {
  return {
    requestId: name,
    platformName: name,
    username: name,
    globalName: name,
    organisationName: name,
    heldUsername: name,
    heldGlobalName: name,
    heldOrganisationName: name,
    formState: name,
  };
}

/** Each page in each of its forms, by a name for the test's report. */
function everyPage(language: Language, outside: Outside): Record<string, string> {
  const context = contextIn(language, outside);
  const discord: DiscordName = { username: outside.username, globalName: outside.globalName };
  const pair = { discord, organisationName: outside.organisationName };
  const unnamed = { discord: { ...discord, globalName: null }, organisationName: null };
  const linked = { pushed: true, earlierRoleMayStay: false, signedIn: true, discordAppUrl: DISCORD_APP_URL };
  const conflict = {
    heldByDiscord: { username: outside.heldUsername, globalName: outside.heldGlobalName },
    heldByOrganisation: outside.heldOrganisationName,
    formState: outside.formState,
  };
  const pages: Record<string, string> = {
    home: renderHome(context),
    linked: renderLinked(context, { ...pair, ...linked }),
    "linked, not pushed": renderLinked(context, { ...pair, ...linked, pushed: false }),
    "linked, not signed in": renderLinked(context, { ...pair, ...linked, signedIn: false }),
    "linked, unnamed": renderLinked(context, { ...unnamed, ...linked }),
    "cancelled at discord": renderCancelled(context, { at: "discord" }),
    "cancelled at provider": renderCancelled(context, { at: "provider" }),
    conflict: renderConflict(context, { ...pair, ...conflict }),
    "conflict, unnamed": renderConflict(context, { ...unnamed, ...conflict, heldByOrganisation: null }),
  };
  for (const code of PUBLIC_ERROR_CODES) pages[code] = renderError(context, code);
  return pages;
}

function headingOf(html: string): string {
  return textOf(`<main>${html.match(/<h1>.*<\/h1>/s)?.[0] ?? ""}</main>`).trim();
}
