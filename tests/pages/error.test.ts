import { describe, expect, test } from "bun:test";
import { PUBLIC_ERROR_CODES } from "../../lib/error_codes.ts";
import { renderCancelled, renderError } from "../../lib/pages/error.tsx";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { linksOf, textOf } from "../harness/html.ts";
import { contextIn, headingOf, PLAIN, said } from "./samples.ts";

const { en } = TEXTS;

describe("renderError()", () => {
  test.each(PUBLIC_ERROR_CODES)("says what to do for %s, in each language", (code) => {
    for (const language of LANGUAGES) {
      const html = renderError(contextIn(language), code);
      const text = TEXTS[language].errors[code];

      expect(headingOf(html)).toBe(said(language, text.title));
      for (const part of ["title", "why", "now"] as const) {
        expect(textOf(html)).toContain(said(language, text[part]));
        expect(text[part]).not.toBeEmpty();
        if (language !== "en") expect(text[part]).not.toBe(en.errors[code][part]);
      }
    }
  });

  test.each(PUBLIC_ERROR_CODES)("names the request id for %s, not the code", (code) => {
    for (const language of LANGUAGES) {
      const text = textOf(renderError(contextIn(language), code));

      expect(text).toContain("request-1");
      expect(text).not.toContain(code);
    }
  });

  test("takes the organisation's name into the title as it is", () => {
    const html = renderError(contextIn("en", { ...PLAIN, platformName: "A $& B" }), "provider_unavailable");

    expect(html).toContain("<title>A $&amp; B is not responding right now – Janus</title>");
  });

  test.each([
    ["state_mismatch", ["/account", "/linked-role"]],
    ["flow_finished", ["/account", "/linked-role"]],
    ["flow_expired", ["/linked-role", "/account"]],
    ["code_rejected", ["/linked-role", "/account"]],
  ] as const)("leads a reload of a finished page to the link, for %s", async (code, links) => {
    expect(textOf(renderError(contextIn("en"), code))).toContain("Your accounts may already be linked");
    for (const language of LANGUAGES) {
      const html = renderError(contextIn(language), code);

      expect(await linksOf(html)).toEqual([...links]);
      expect(textOf(html)).toContain(TEXTS[language].buttons.toAccount);
    }
  });

  test.each([
    "id_token_unsupported",
    "provider_misconfigured",
    "provider_client_rejected",
    "discord_client_rejected",
  ] as const)("offers no button that cannot help, for %s", async (code) => {
    const html = renderError(contextIn("en"), code);

    expect(textOf(html)).toContain("Contact D-sektionen and quote the request ID below.");
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
    expect(textOf(renderError(contextIn("en"), code))).toContain("Nothing has been lost.");
    expect(textOf(renderError(contextIn("sv"), code))).toContain("Inget har gått förlorat.");
    expect(textOf(renderError(contextIn("de"), code))).toContain("Es ist nichts verloren gegangen.");
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

  test.each([...LANGUAGES])("does not say that a refused member cancelled, in %s", (language) => {
    const { cancelled } = TEXTS[language];
    const html = renderCancelled(contextIn(language), { at: "provider" });
    const text = textOf(html);

    expect(headingOf(html)).toBe(said(language, cancelled.providerTitle));
    expect(headingOf(html)).not.toMatch(/cancel|avbr|abbr|abgebr/i);
    expect(text).not.toContain(cancelled.lead);
    expect(text).toContain(said(language, cancelled.providerWhy));
    expect(text).toContain(said(language, cancelled.providerNow));
    expect(text).toContain("request-1");
  });

  test.each([...LANGUAGES])("says that nothing was linked, in %s", (language) => {
    const unchanged = {
      en: "othing has been linked or changed.",
      sv: "nget har kopplats eller ändrats.",
      de: "s wurde nichts verknüpft oder geändert.",
    };
    for (const at of ["discord", "provider"] as const)
      expect(textOf(renderCancelled(contextIn(language), { at }))).toContain(unchanged[language]);
  });

  test("stays friendly to a member who cancelled at Discord", () => {
    const text = textOf(renderCancelled(contextIn("en"), { at: "discord" }));

    expect(text).toContain(en.cancelled.discordTitle);
    expect(text).toContain("No problem");
    expect(text).not.toContain("request-1");
  });
});

describe("a page that offers to begin once more", () => {
  const beginning = { startAgain: "/login", tryAgain: "/account" } as const;

  test.each([
    ["scope_missing", "/login"],
    ["internal", "/account"],
    ["not_found", "/"],
    ["unauthenticated", "/login"],
  ] as const)("leads %s to %s if told so", async (code, path) => {
    expect(await linksOf(renderError(contextIn("en"), code, beginning))).toEqual([path]);
  });

  test.each(["discord", "provider"] as const)("leads from a no at %s to the start", async (at) => {
    expect(await linksOf(renderCancelled(contextIn("sv"), { at }, beginning))).toEqual(["/login"]);
  });
});
