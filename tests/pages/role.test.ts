import { describe, expect, test } from "bun:test";
import { renderAccount } from "../../lib/pages/member.tsx";
import type { RolePage } from "../../lib/pages/role.tsx";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { formsOf, linksOf, textOf } from "../harness/html.ts";
import { CLEARED, memberRecord, says } from "./record_samples.ts";
import { accountPage, contextIn, DISCORD_APP_URL, PLAIN, said } from "./samples.ts";

const CLEARED_TIME = {
  en: "5 Jul 2026, 10:03 UTC",
  sv: "5 juli 2026 10:03 UTC",
  de: "5. Juli 2026, 10:03 UTC",
};
const { en } = TEXTS;

const textWith = (
  link: Partial<NonNullable<RolePage["link"]>>,
  language: (typeof LANGUAGES)[number] = "en",
) => textOf(renderAccount(contextIn(language), accountPage(link)));

describe("Role()", () => {
  test.each([...LANGUAGES])(
    "says since when and why a cleared link gives no role, in %s",
    async (language) => {
      const { role } = TEXTS[language];
      const html = renderAccount(contextIn(language), accountPage({ ...CLEARED, admission: "refused" }));

      expect(textOf(html)).toContain(said(language, role.cleared, CLEARED_TIME[language]));
      expect(textOf(html)).toContain(PLAIN.operatorMessage);
      expect(textOf(html)).toContain(said(language, role.clearedNow));
      for (const words of [role.given, role.knows, role.notKnown, role.notSent])
        expect(textOf(html)).not.toContain(said(language, words));
      expect(await linksOf(html)).toEqual([
        "/linked-role",
        "/account/another",
        "/account/unlink",
        "/api/me/export",
      ]);
      expect(await formsOf(html)).toEqual(["/api/auth/logout"]);
    },
  );

  test("keeps a cleared link cleared while nobody says whether the member is admitted", () => {
    const text = textWith({ ...CLEARED, admission: "unknown" });

    expect(text).toContain(said("en", en.role.clearedNow));
    expect(text).not.toContain(said("en", en.role.admissionUnknown));
  });

  test("says how a member who is admitted again gets the roles back", async () => {
    const html = renderAccount(contextIn("en"), accountPage({ ...CLEARED, nextPushAt: null }));

    expect(textOf(html)).toContain(said("en", en.role.readmitted));
    expect(textOf(html)).toContain(said("en", en.role.noTry, en.buttons.sync));
    expect(textOf(html)).not.toContain(PLAIN.operatorMessage);
    expect(await formsOf(html)).toContain("/api/link/sync");
  });

  test.each([
    [0, en.role.nextUpdate],
    [1, en.role.nextTry],
  ])("says that the roles go before Discord was told, after %i failures", (pushFailures, when) => {
    const text = textWith({ admission: "refused", pushFailures }).replaceAll("\n", " ");

    expect(text).toContain(said("en", en.role.refused));
    expect(text).toContain(PLAIN.operatorMessage);
    expect(text).toContain(said("en", when, "6 Jul 2026, 11:44 UTC"));
    expect(text).not.toContain(said("en", en.role.given));
  });

  test.each([...LANGUAGES])("says that an unknown admission changes nothing, in %s", async (language) => {
    const { role } = TEXTS[language];
    const html = renderAccount(contextIn(language), accountPage({ admission: "unknown" }));

    expect(textOf(html)).toContain(said(language, role.admissionUnknown));
    expect(textOf(html)).toContain(said(language, role.given));
    expect(textOf(html)).not.toContain(PLAIN.operatorMessage);
    expect((await linksOf(html))[0]).toBe(DISCORD_APP_URL);
  });

  test("claims no finished update where the rules say something else by now", () => {
    const link = { records: [memberRecord("1", says("0"))], nextPushAt: null };
    const text = textWith(link);

    expect(text).toContain(en.role.changed);
    expect(text).toContain(said("en", en.role.noTry, en.buttons.sync));
    expect(text).not.toContain(en.role.knows);
  });

  test("says nothing of admission where the member is admitted", () => {
    const text = textWith({});

    for (const words of [
      en.role.refused,
      en.role.readmitted,
      en.role.admissionUnknown,
      PLAIN.operatorMessage,
    ])
      expect(text).not.toContain(said("en", words));
  });
});
