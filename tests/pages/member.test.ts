import { describe, expect, test } from "bun:test";
import {
  renderAccount,
  renderAnotherAccount,
  renderSignIn,
  renderUnlinked,
  renderUnlinkQuestion,
} from "../../lib/pages/member.tsx";
import { sayPlain, TEXTS } from "../../lib/pages/texts/languages.ts";
import { NOTICES } from "../../lib/result/notice.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { attributesOf, formsOf, linksOf, readElements, textOf } from "../harness/html.ts";
import { memberRecord, NOT_TOLD } from "./record_samples.ts";
import {
  accountPage,
  contextIn,
  DISCORD_APP_URL,
  DISCORD_URL,
  LINKED_AT,
  manySignIns,
  NEXT_PUSH_AT,
  PLAIN,
  PUSHED_AT,
  said,
  TOLD,
} from "./samples.ts";
import { CHECKED_AT, NEXT_CHECK_AT } from "./sync_samples.ts";

const { en } = TEXTS;

describe("renderAccount()", () => {
  test("names both accounts, with the avatar on Discord's side", async () => {
    const html = renderAccount(contextIn("en"), accountPage());

    expect(textOf(html)).toContain("Elin Lindqvist @elin.l");
    expect(textOf(html)).toContain("elili123");
    expect(attributesOf(await readElements(html), "img").map(({ src }) => src)).toEqual([PLAIN.avatarUrl]);
  });

  test.each([
    ["elin.l", "Åsa", "Å"],
    ["elin.l", " \u2003", "E"],
    ["elin.l", null, "E"],
    ["elin.l", "✨ bo", "B"],
  ])("leaves the first letter where %j, %j has no picture", async (username, globalName, letter) => {
    const html = renderAccount(contextIn("en"), {
      ...accountPage(),
      discord: { username, globalName, avatarUrl: null },
    });

    expect(attributesOf(await readElements(html), "img")).toEqual([]);
    expect(html).toMatch(new RegExp(`aria-hidden="true"><bdi>${letter}</bdi>`));
  });

  test("says which account is meant where the organisation gives no name", () => {
    const html = renderAccount(contextIn("en"), accountPage({ organisationName: null }));

    expect(textOf(html)).toContain(en.unnamedAccount);
  });

  test.each([
    ["en", "1", "Member: yes"],
    ["en", "0", "Member: no"],
    ["sv", "1", "Medlem: ja"],
    ["sv", "0", "Medlem: nej"],
    ["de", "1", "Mitglied: ja"],
    ["de", "0", "Mitglied: nein"],
  ] as const)("says in words what Discord knows, in %s for %s", (language, value, sentence) => {
    const html = renderAccount(contextIn(language), accountPage({ records: [memberRecord(value)] }));

    expect(textOf(html)).toContain(sentence);
  });

  test("shows no record that the rules no longer have", () => {
    const pushedMetadata = { dsek_member: "1", retired_record: "1" };
    const html = renderAccount(contextIn("en"), accountPage({ pushedMetadata }));

    expect(textOf(html)).not.toContain("retired_record");
  });

  test.each([...LANGUAGES])("promises the role only where Discord has a yes, in %s", (language) => {
    const { role } = TEXTS[language];
    const no = accountPage({ records: [memberRecord("0")] });

    const given = textOf(renderAccount(contextIn(language), accountPage()));
    const withheld = textOf(renderAccount(contextIn(language), no));

    expect(given).toContain(said(language, role.given));
    expect(given).not.toContain(said(language, role.withheld, role.yes));
    expect(withheld).toContain(said(language, role.withheld, role.yes));
    expect(withheld).not.toContain(said(language, role.given));
  });

  test("does not promise the role before the member clicks Link", () => {
    expect(textOf(renderAccount(contextIn("en"), accountPage()))).toContain(
      "Discord gives you the role when you click Link under Linked Roles",
    );
  });

  test("says that Discord has not been told, and when Janus tries", () => {
    const planned = textOf(renderAccount(contextIn("en"), accountPage(NOT_TOLD)));
    const unplanned = textOf(renderAccount(contextIn("en"), accountPage({ ...NOT_TOLD, nextPushAt: null })));

    for (const text of [planned, unplanned]) {
      expect(text).toContain(en.role.notTold);
      expect(text).not.toContain(en.role.knows);
      expect(text).not.toContain(said("en", en.role.lastTold));
    }
    expect(planned.replaceAll("\n", " ")).toContain(said("en", en.role.nextTry, "6 Jul 2026, 11:44 UTC"));
    expect(unplanned).toContain(said("en", en.role.noTry, en.buttons.sync));
  });

  test("says that what Discord knows is old after a failure", () => {
    const failed = textOf(renderAccount(contextIn("en"), accountPage({ pushFailures: 2 })));
    const taken = textOf(renderAccount(contextIn("en"), accountPage()));

    expect(failed).toContain(en.role.outdated);
    expect(failed).not.toContain(en.role.knows);
    expect(failed).toContain("Member: yes");
    expect(taken).toContain(en.role.knows);
    expect(taken).not.toContain(en.role.outdated);
  });

  test.each([
    ["en", "UTC", "4 Jul 2026, 22:30 UTC"],
    ["en", "Europe/Stockholm", "5 Jul 2026, 00:30 CEST"],
    ["en", "America/New_York", "4 Jul 2026, 18:30 GMT-4"],
    ["en", "Asia/Kolkata", "5 Jul 2026, 04:00 GMT+5:30"],
    ["sv", "UTC", "4 juli 2026 22:30 UTC"],
    ["sv", "Europe/Stockholm", "5 juli 2026 00:30 CEST"],
    ["de", "UTC", "4. Juli 2026, 22:30 UTC"],
    ["de", "Europe/Berlin", "5. Juli 2026, 00:30 MESZ"],
  ] as const)("shows times in the zone and names it, in %s for %s", async (language, timeZone, shown) => {
    const html = renderAccount({ ...contextIn(language), timeZone }, accountPage());
    const times = attributesOf(await readElements(html), "time").map(({ datetime }) => datetime);

    expect(textOf(html)).toContain(shown);
    const all = [LINKED_AT, PUSHED_AT, NEXT_PUSH_AT, CHECKED_AT, NEXT_CHECK_AT];
    expect(times).toEqual(all.map((at) => at.toISOString()));
  });

  test.each([...LANGUAGES])(
    "lists what other servers have told, and nothing otherwise, in %s",
    (language) => {
      const { told } = TEXTS[language];
      const read = (events: typeof TOLD) =>
        textOf(renderAccount(contextIn(language), { ...accountPage(), told: events })).replaceAll("\n", " ");

      const [listed, silent] = [read(TOLD), read([])];

      expect(listed).toContain(told.title);
      for (const { about } of TOLD) expect(listed).toContain(said(language, told[about]));
      expect(silent).not.toContain(told.title);
    },
  );

  test("names summer time and winter time", () => {
    const context = { ...contextIn("en"), timeZone: "Europe/Stockholm" };
    const linkedAt = new Date("2026-01-04T22:30:00Z");
    const text = textOf(renderAccount(context, accountPage({ linkedAt })));

    expect(text).toContain("Linked since 4 Jan 2026, 23:30 CET.");
    expect(text).toContain("5 Jul 2026, 12:03 CEST");
  });

  test("names the next update only where one is due", () => {
    const planned = textOf(renderAccount(contextIn("en"), accountPage()));
    const unplanned = textOf(renderAccount(contextIn("en"), accountPage({ nextPushAt: null })));

    expect(planned.replaceAll("\n", " ")).toContain(said("en", en.role.nextUpdate, "6 Jul 2026, 11:44 UTC"));
    expect(unplanned).not.toContain(said("en", en.role.nextUpdate));
  });

  test.each([...LANGUAGES])("leads to everything that can be done to a link, in %s", async (language) => {
    const html = renderAccount(contextIn(language), accountPage());

    expect(await linksOf(html)).toEqual([
      DISCORD_APP_URL,
      "/account/another",
      "/account/unlink",
      "/api/me/export",
    ]);
    expect(await formsOf(html)).toEqual(["/api/link/sync", "/api/auth/logout"]);
  });

  test("offers the app beside the website of Discord itself", async () => {
    const html = renderAccount(contextIn("en"), { ...accountPage(), discordAppUrl: DISCORD_URL });

    expect((await linksOf(html)).slice(0, 2)).toEqual([DISCORD_URL, "discord://-/channels/@me"]);
  });

  test.each([...LANGUAGES])("offers only to link where there is no link, in %s", async (language) => {
    const html = renderAccount(contextIn(language), { ...accountPage(), link: null });

    expect(await linksOf(html)).toEqual(["/linked-role", "/api/me/export"]);
    expect(await formsOf(html)).toEqual(["/api/auth/logout"]);
    expect(textOf(html)).toContain(TEXTS[language].account.noAccount);
    expect(textOf(html)).not.toContain(PLAIN.organisationName);
    expect(textOf(html)).not.toContain("Authorized Apps");
  });

  test("lists the sign-ins and ends the others where there are others", async () => {
    const html = renderAccount(contextIn("en"), {
      ...accountPage(),
      sessions: manySignIns("Safari on iPhone"),
    });

    expect(textOf(html)).toContain(`Firefox on Linux (${en.sessions.current})`);
    expect(textOf(html)).not.toContain(`Safari on iPhone (${en.sessions.current})`);
    expect(textOf(html)).toContain(en.sessions.unknownDevice);
    expect(await formsOf(html)).toEqual([
      "/api/link/sync",
      ...Array(3).fill("/account/sessions"),
      "/api/auth/logout",
    ]);
  });

  test.each([
    ["en", "Safari on iPhone", "Sign out on Safari on iPhone", "Sign out on the unknown device"],
    ["sv", "Safari på iPhone", "Logga ut från Safari på iPhone", "Logga ut från den okända enheten"],
    ["de", "Safari auf iPhone", "Abmelden: Safari auf iPhone", "Abmelden: unbekanntes Gerät"],
  ] as const)("names each browser and its button, in %s", async (language, browser, label, unknown) => {
    const html = renderAccount(contextIn(language), {
      ...accountPage(),
      sessions: manySignIns("Safari on iPhone"),
    });
    const buttons = attributesOf(await readElements(html), "button").filter(({ name }) => name === "session");

    expect(textOf(html)).toContain(browser);
    expect(buttons.map(({ value, "aria-label": spoken }) => [value, spoken])).toEqual([
      ["handle-of-it2", label],
      ["handle-of-it3", unknown],
      ["all", undefined],
    ]);
    // Somebody who speaks to their computer says what they see. WCAG 2.5.3
    for (const spoken of [label, unknown]) expect(spoken).toStartWith(TEXTS[language].buttons.signOut);
  });

  test("ends no other sign-ins where there are none", async () => {
    const html = renderAccount(contextIn("en"), accountPage());

    expect(textOf(html)).toContain(en.sessions.onlyThis);
    expect(await formsOf(html)).not.toContain("/account/sessions");
  });

  test.each(NOTICES)("shows %s as a status, in each language", (notice) => {
    for (const language of LANGUAGES) {
      const html = renderAccount(contextIn(language), { ...accountPage(), notice });
      const shown = /<p [^>]*role="status"[^>]*>([^<]*)<\/p>/.exec(html)?.[1];

      expect(shown).toBe(sayPlain(TEXTS[language].notices[notice], "D-sektionen"));
      // A screen reader says the title first, and then what has the focus.
      expect(html).toContain(`<title>${shown} – ${TEXTS[language].account.title} – Janus</title>`);
      expect(html).toMatch(/<p [^>]*tabindex="-1"[^>]* autofocus/);
    }
  });

  test("shows no status where there is nothing to tell", () => {
    expect(renderAccount(contextIn("en"), accountPage())).not.toContain('role="status"');
  });

  test("says that names are old only where Discord gave no answer", () => {
    const answered = textOf(renderAccount(contextIn("en"), accountPage()));
    const silent = textOf(renderAccount(contextIn("en"), { ...accountPage(), discordAnswered: false }));

    expect(silent).toContain(en.account.discordSilent);
    expect(answered).not.toContain(en.account.discordSilent);
  });
});

describe("renderSignIn()", () => {
  test.each([...LANGUAGES])("says what the page is for and leads to the sign-in, in %s", async (language) => {
    const html = renderSignIn(contextIn(language));

    expect(textOf(html)).toContain("D-sektionen");
    expect(await linksOf(html)).toEqual(["/login"]);
  });
});

describe("renderUnlinkQuestion()", () => {
  const pair = {
    discord: { username: "elin.l", globalName: "Elin Lindqvist" },
    organisationName: "elili123",
  };

  test.each([...LANGUAGES])("unlinks by a form post, and can be left, in %s", async (language) => {
    const html = renderUnlinkQuestion(contextIn(language), pair);

    expect(await formsOf(html)).toEqual(["/account/unlink"]);
    expect(await linksOf(html)).toEqual(["/account"]);
  });

  test.each([...LANGUAGES])("names both accounts and everything that ends, in %s", (language) => {
    const text = textOf(renderUnlinkQuestion(contextIn(language), pair));
    const ends = TEXTS[language].unlink.ends.map((end) => said(language, end));

    for (const part of ["Elin Lindqvist @elin.l", "elili123"]) expect(text).toContain(part);
    // The roles, the access of Janus, what is saved, and the sign-ins.
    expect(ends).toHaveLength(4);
    expect(text).toContain(ends.join("\n"));
  });
});

describe("renderUnlinked()", () => {
  test.each([...LANGUAGES])("says whether Discord must still hear of the unlink, in %s", async (language) => {
    const { unlinked } = TEXTS[language];
    const outcomes = [
      [{ discordTold: true, roleMayStay: false }, unlinked.finished],
      [{ discordTold: true, roleMayStay: true }, unlinked.roleMayStay],
      [{ discordTold: false, roleMayStay: false }, unlinked.pending],
    ] as const;

    for (const [page, text] of outcomes) {
      const html = renderUnlinked(contextIn(language), page);

      expect(textOf(html)).toContain(said(language, text));
      for (const [, other] of outcomes)
        if (other !== text) expect(textOf(html)).not.toContain(said(language, other));
      expect(await linksOf(html)).toEqual(["/"]);
    }
  });

  test("does not say that the roles are gone before Discord was told", () => {
    const pending = textOf(renderUnlinked(contextIn("en"), { discordTold: false, roleMayStay: false }));

    expect(pending).toContain("You keep your roles until Janus has been able to update Discord.");
  });
});

describe("renderAnotherAccount()", () => {
  test.each([...LANGUAGES])("says how on each side and leads there, in %s", async (language) => {
    const html = renderAnotherAccount(contextIn(language));

    expect(textOf(html)).toContain("Not you?");
    expect(textOf(html)).toContain("D-sektionen");
    expect(await linksOf(html)).toEqual(["/linked-role/another", "/account"]);
  });
});
