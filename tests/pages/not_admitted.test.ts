import { describe, expect, test } from "bun:test";
import { renderCleared, renderNotAdmitted } from "../../lib/pages/not_admitted.tsx";
import { renderResult } from "../../lib/pages/result.tsx";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import type { Content } from "../../lib/result/content.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { attributesOf, linksOf, readElements, textOf } from "../harness/html.ts";
import { admitting } from "./record_samples.ts";
import { contextIn, DISCORD_APP_URL, headingOf, OWN_LOOK, PLAIN, said } from "./samples.ts";

const MESSAGES = { en: "Only students can link.", sv: "Bara studenter kan koppla." };
const RULES = admitting(MESSAGES);
const REFUSED = { why: "refused" } as const;
const UNKNOWN = { why: "unknown" } as const;

/** The operator's message as a browser gets it: its text, and the language that it is marked with. */
async function messageIn(html: string) {
  const [quote] = attributesOf(await readElements(html), "blockquote");
  return { text: /<blockquote[^>]*>([^<]*)</.exec(html)?.[1], lang: quote?.lang };
}

describe("renderNotAdmitted()", () => {
  test.each([
    ["en", MESSAGES.en, undefined],
    ["sv", MESSAGES.sv, undefined],
    ["de", MESSAGES.en, "en"],
  ] as const)("shows the operator's message in %s: %s", async (language, text, lang) => {
    const html = renderNotAdmitted(contextIn(language), REFUSED, RULES);

    expect(await messageIn(html)).toEqual({ text, lang });
  });

  test.each([...LANGUAGES])("says what it means and leads to another account, in %s", async (language) => {
    const { notAdmitted, requestId } = TEXTS[language];
    const html = renderNotAdmitted(contextIn(language), REFUSED, RULES);

    expect(headingOf(html)).toBe(said(language, notAdmitted.refusedTitle));
    for (const part of [notAdmitted.says, notAdmitted.nothingLinked, notAdmitted.refusedNow])
      expect(textOf(html)).toContain(said(language, part));
    expect(textOf(html)).toContain(`${requestId}: ${PLAIN.requestId}`);
    expect(await linksOf(html)).toEqual(["/account/another"]);
  });

  test.each([...LANGUAGES])("blames nobody where the organisation did not say, in %s", async (language) => {
    const { notAdmitted, requestId } = TEXTS[language];
    const html = renderNotAdmitted(contextIn(language), UNKNOWN, RULES);

    expect(headingOf(html)).toBe(said(language, notAdmitted.unknownTitle));
    for (const part of [notAdmitted.unknownWhy, notAdmitted.nothingLinked, notAdmitted.unknownNow])
      expect(textOf(html)).toContain(said(language, part));
    expect(textOf(html)).toContain(`${requestId}: ${PLAIN.requestId}`);
    expect(await messageIn(html)).toEqual({ text: undefined, lang: undefined });
    expect(await linksOf(html)).toEqual(["/linked-role"]);
  });

  test("leads to where members can ask, if the operator has said where", async () => {
    for (const why of [REFUSED, UNKNOWN]) {
      const html = renderNotAdmitted(contextIn("en", PLAIN, OWN_LOOK), why, RULES);

      expect((await linksOf(html))[0]).toStartWith("mailto:help@example.org?subject=");
    }
  });

  test("keeps the lines of a message, and none of its markup", () => {
    const html = renderNotAdmitted(
      contextIn("en"),
      REFUSED,
      admitting({ en: "First.\n\n<b>Second</b> & {platform}" }),
    );

    expect(html).toContain(">First.\n\n&lt;b>Second&lt;/b> &amp; {platform}</blockquote>");
  });

  test("shows no message once the rules admit everybody", async () => {
    const html = renderNotAdmitted(contextIn("en"), REFUSED, { admit: undefined });

    expect(await messageIn(html)).toEqual({ text: undefined, lang: undefined });
    expect(textOf(html)).not.toContain(said("en", TEXTS.en.notAdmitted.says));
  });
});

describe("renderCleared()", () => {
  test.each([...LANGUAGES])("says that the roles go, once Discord was told, in %s", async (language) => {
    const { cleared, notAdmitted } = TEXTS[language];
    const told = renderCleared(contextIn(language), { pushed: true, signedIn: true }, RULES);
    const later = renderCleared(contextIn(language), { pushed: false, signedIn: false }, RULES);

    expect(textOf(told)).toContain(said(language, cleared.told));
    expect(textOf(told)).not.toContain(said(language, cleared.later));
    expect(textOf(later)).toContain(said(language, cleared.later));
    expect(textOf(later)).not.toContain(said(language, cleared.told));
    for (const html of [told, later]) expect(textOf(html)).toContain(said(language, notAdmitted.refusedNow));
    expect(await linksOf(told)).toEqual(["/account/another", "/account"]);
    expect(await linksOf(later)).toEqual(["/account/another"]);
  });
});

describe("renderResult()", () => {
  const linked = {
    outcome: "relinked",
    discord: { username: PLAIN.username, globalName: PLAIN.globalName },
    organisationName: PLAIN.organisationName,
    pushed: true,
    earlierRoleMayStay: false,
    signedIn: true,
  } as const;

  test.each([
    [{ ...linked, told: "values" }, TEXTS.en.linked.again],
    [{ ...linked, outcome: "linked", told: "values" }, TEXTS.en.linked.now],
    [{ ...linked, told: "nothing_known" }, TEXTS.en.linked.nothingKnown],
    [{ ...linked, told: "cleared" }, TEXTS.en.cleared.told],
    [{ outcome: "not_admitted", why: "refused" }, MESSAGES.en],
    [{ outcome: "not_admitted", why: "unknown" }, TEXTS.en.notAdmitted.unknownWhy],
  ] satisfies [Content, string][])("%#. says what Discord was told, or why it was not", (content, words) => {
    const html = renderResult(contextIn("en"), content, DISCORD_APP_URL, RULES);

    expect(textOf(html)).toContain(said("en", words));
  });
});
