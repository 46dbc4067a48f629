import { describe, expect, test } from "bun:test";
import type { LinkFacts } from "../../lib/member/facts.ts";
import { renderAccount } from "../../lib/pages/member.tsx";
import type { Texts } from "../../lib/pages/texts/en.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import type { Language } from "../../lib/text/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { formsOf, linksOf, textOf } from "../harness/html.ts";
import { memberRecord } from "./record_samples.ts";
import { accountPage, contextIn, DISCORD_APP_URL, PLAIN, said } from "./samples.ts";
import { CHECKED, SHOWN, STATES } from "./sync_samples.ts";

type State = keyof typeof STATES;
type Sentence = readonly [path: (texts: Texts) => string, time?: keyof (typeof SHOWN)["en"]];

const OF_STATES: readonly Sentence[] = [
  [({ checks }) => checks.failing],
  [({ checks }) => checks.failingHere],
  [({ checks }) => checks.notReadable],
  [({ checks }) => checks.noAccess, "since"],
  [({ checks }) => checks.graceUntil, "until"],
  [({ checks }) => checks.graceOver],
  [({ checks }) => checks.ended, "cleared"],
  [({ checks }) => checks.endedNow],
  [({ checks }) => checks.gone, "since"],
  [({ checks }) => checks.goneSoon],
  [({ checks }) => checks.goneNow],
  [({ checks }) => checks.held, "since"],
  [({ checks }) => checks.discordEnded, "since"],
  [({ checks }) => checks.discordEndedNow],
  [({ checks }) => checks.deauthorized, "since"],
  [({ checks }) => checks.deauthorizedNow],
  [({ checks }) => checks.disconnected, "since"],
  [({ checks, buttons }) => checks.disconnectedNow.replace("{other}", buttons.sync)],
  [({ role }) => role.cleared, "cleared"],
  [({ role }) => role.clearedNow],
  [({ role }) => role.lost, "cleared"],
  [({ role }) => role.removed, "since"],
  [({ role }) => role.admissionUnknown],
  [({ role }) => role.readmitted],
  [({ role }) => role.refused],
  [({ role }) => role.changed],
  [({ role }) => role.given],
  [({ role }) => role.knows],
  [({ role, buttons }) => role.noTry.replace("{other}", buttons.sync)],
];

const render = (language: Language, link: Partial<LinkFacts>): string =>
  renderAccount(contextIn(language), accountPage(link));

/** Of all sentences that a state can have, those that this page has, by their English. */
function sentencesOf(language: Language, link: Partial<LinkFacts>): readonly string[] {
  const text = textOf(render(language, link)).replaceAll("\n", " ");
  return OF_STATES.filter(([path, time]) =>
    text.includes(said(language, path(TEXTS[language]), time === undefined ? "" : SHOWN[language][time])),
  ).map(([path]) => path(TEXTS.en));
}

const { checks, role, buttons } = TEXTS.en;
const SYNC_ALONE = checks.disconnectedNow.replace("{other}", buttons.sync);
const NO_TRY = role.noTry.replace("{other}", buttons.sync);

const EXPECTED: Readonly<Record<State, readonly string[]>> = {
  failing: [checks.failing, role.given, role.knows],
  failingHere: [checks.failingHere, role.given, role.knows],
  notReadable: [checks.notReadable, role.given, role.knows],
  grace: [checks.noAccess, checks.graceUntil],
  graceOver: [checks.noAccess, checks.graceOver],
  ended: [checks.ended, checks.endedNow],
  refusedAndEnded: [role.cleared, role.clearedNow],
  revivedUnknown: [role.lost, role.admissionUnknown],
  revived: [role.readmitted, NO_TRY],
  goneSoon: [checks.gone, checks.goneSoon],
  gone: [checks.gone, checks.goneNow],
  held: [checks.held],
  heldAdmission: [checks.held],
  lost: [role.removed, role.knows],
  disconnected: [checks.disconnected, SYNC_ALONE],
  disconnectedNotTold: [checks.disconnected],
  discordEnded: [checks.discordEnded, checks.discordEndedNow],
  deauthorized: [checks.deauthorized, checks.deauthorizedNow],
};

const STATE_NAMES = Object.keys(STATES).filter((name): name is State => name in STATES);
const IN_EACH = LANGUAGES.flatMap((language) => STATE_NAMES.map((state) => [language, state] as const));

type Offer = {
  readonly link: Partial<LinkFacts>;
  readonly links: readonly string[];
  readonly forms: readonly string[];
};

const TO_DISCORD = { links: [DISCORD_APP_URL], forms: ["/api/link/sync"] };
const TO_EITHER = { links: [DISCORD_APP_URL, "/linked-role"], forms: ["/api/link/sync"] };
const TO_SIGN_IN = { links: ["/linked-role"], forms: [] };

/** The ways on from the section. */
const OFFERS: Readonly<Record<string, Offer>> = {
  checked: { link: CHECKED, ...TO_DISCORD },
  failing: { link: STATES.failing, ...TO_DISCORD },
  failingHere: { link: STATES.failingHere, ...TO_EITHER },
  notReadable: { link: STATES.notReadable, ...TO_EITHER },
  grace: { link: STATES.grace, ...TO_SIGN_IN },
  graceOver: { link: STATES.graceOver, ...TO_SIGN_IN },
  ended: { link: STATES.ended, ...TO_SIGN_IN },
  refusedAndEnded: { link: STATES.refusedAndEnded, ...TO_SIGN_IN },
  held: { link: STATES.held, ...TO_DISCORD },
  discordEnded: { link: STATES.discordEnded, ...TO_SIGN_IN },
  deauthorized: { link: STATES.deauthorized, ...TO_SIGN_IN },
  disconnected: { link: STATES.disconnected, links: [], forms: ["/api/link/sync"] },
};

describe("the account page", () => {
  test.each(IN_EACH)("in %s says of %s what is so, and nothing else", (language, state) => {
    const found = sentencesOf(language, STATES[state]);

    expect(found.toSorted()).toEqual([...EXPECTED[state]].toSorted());
  });

  test.each([...LANGUAGES])("in %s says when the account was checked and is checked next", (language) => {
    const { last, next } = TEXTS[language].checks;
    const checked = textOf(render(language, CHECKED)).replaceAll("\n", " ");
    const unread = textOf(render(language, STATES.notReadable)).replaceAll("\n", " ");

    for (const text of [checked, unread])
      expect(text).toContain(said(language, last, SHOWN[language].checked));
    expect(checked).toContain(said(language, next, SHOWN[language].nextCheck));
    expect(unread).not.toContain(said(language, next));
    expect(sentencesOf(language, CHECKED)).toEqual([role.given, role.knows]);
  });

  test.each(Object.entries(OFFERS))(
    "offers in the state %s what helps",
    async (_, { link, links, forms }) => {
      const html = render("en", link);

      expect(await linksOf(html)).toEqual([
        ...links,
        "/account/another",
        "/account/unlink",
        "/api/me/export",
      ]);
      expect(await formsOf(html)).toEqual([...forms, "/api/auth/logout"]);
    },
  );

  test("quotes the rules of the operator where they are the reason", () => {
    const quoting = STATE_NAMES.filter((state) =>
      textOf(render("en", STATES[state])).includes(PLAIN.operatorMessage),
    );

    expect(quoting.toSorted()).toEqual(["heldAdmission", "refusedAndEnded"]);
  });

  test("says when roles were removed only while something is missing", () => {
    const { lostAt } = STATES.lost;
    const texts = [{ lostAt }, { records: [memberRecord("0")] }].map((link) => textOf(render("en", link)));

    for (const text of texts) expect(text).not.toContain(said("en", role.removed));
  });

  test("shows what Discord has in each state in which it has something", () => {
    const showing = STATE_NAMES.filter((state) =>
      textOf(render("en", STATES[state])).includes("Member: yes"),
    );

    expect(showing.toSorted()).toEqual([
      "discordEnded",
      "failing",
      "failingHere",
      "goneSoon",
      "grace",
      "graceOver",
      "held",
      "heldAdmission",
      "notReadable",
    ]);
  });
});
