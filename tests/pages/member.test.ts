import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { LinkFacts } from "../../lib/member/facts.ts";
import { PAGE_CSP, pageCsp } from "../../lib/pages/frame.tsx";
import {
  renderAccount,
  renderAnotherAccount,
  renderSignIn,
  renderUnlinked,
  renderUnlinkQuestion,
} from "../../lib/pages/member.tsx";
import type { AccountPage } from "../../lib/pages/member_sections.tsx";
import { LANGUAGES, type Language, type PageContext } from "../../lib/pages/parts.tsx";
import { en } from "../../lib/pages/texts/en.ts";
import { accountEn } from "../../lib/pages/texts/member_en.ts";
import { accountSv } from "../../lib/pages/texts/member_sv.ts";
import { METADATA_RECORDS } from "../../lib/rules/role_connection.ts";
import { readName } from "../../lib/text/shown_name.ts";
import {
  activeParts,
  attributesOf,
  expectSameStructure,
  formsOf,
  linksOf,
  readElements,
  textOf,
} from "../harness/html.ts";

// What takes milliseconds may take seconds on a machine that is busy.
setDefaultTimeout(30_000);

const DISCORD_APP_URL = "https://discord.test/app";
const AVATAR_ORIGIN = "https://cdn.discord.test";
const HOSTILE_TEXTS = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "</title></style></bdi><h1>Elin</h1>",
  "&lt;b&gt; {platform} {other} $& %s",
  "\u202Egnp.exe",
];
const TEXTS = { en: accountEn, sv: accountSv } as const;
const NOTICES = ["synced", "sync_failed", "sync_too_soon", "sessions_ended"] as const;
/** The UTC offset of summer in Sweden must not show. */
const LINKED_AT = new Date("2026-07-04T22:30:00Z");
const PUSHED_AT = new Date("2026-07-05T10:03:00Z");
const NEXT_PUSH_AT = new Date("2026-07-06T11:44:00Z");

/** What comes from outside, one text for each place where it can stand. */
type Outside = {
  readonly platformName: string;
  readonly username: string;
  readonly globalName: string;
  readonly avatarUrl: string;
  readonly organisationName: string;
  readonly userAgent: string;
};

const PLAIN: Outside = {
  platformName: "D-sektionen",
  username: "elin.l",
  globalName: "Elin Lindqvist",
  avatarUrl: `${AVATAR_ORIGIN}/avatars/1/a.png`,
  organisationName: "elili123",
  userAgent: "Firefox on Linux",
};

describe.each([...LANGUAGES])("every account page in %s", (language) => {
  const pages = Object.entries(everyPage(language, PLAIN));

  test.each(pages)(
    "%s is one document with its language, one title, one main and one h1",
    async (_, html) => {
      const elements = await readElements(html);

      expect(html).toStartWith("<!doctype html>");
      expect(attributesOf(elements, "html")).toEqual([{ lang: language }]);
      for (const tag of ["title", "main", "h1"]) expect(attributesOf(elements, tag)).toHaveLength(1);
      expect(html).toMatch(/<title>[^<]+ – Janus<\/title>/);
    },
  );

  test.each(pages)("%s runs nothing, and loads nothing but the avatar", async (_, html) => {
    const elements = await readElements(html);

    const others = activeParts(elements).filter((part) => !["img", "img src"].includes(part));
    expect(others).toEqual([]);
    for (const { src, alt } of attributesOf(elements, "img")) {
      expect([src, alt]).toEqual([PLAIN.avatarUrl, ""]);
    }
    expect(html).not.toMatch(/url\(|@import/i);
  });

  test.each(pages)("%s has the style that its policy allows", (_, html) => {
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");

    expect(pageCsp(AVATAR_ORIGIN)).toContain(`style-src 'sha256-${hash}';`);
  });

  test.each(pages)("%s leaves no placeholder unfilled", (_, html) => {
    const body = html.slice(html.indexOf("<body>"));

    expect(body).not.toMatch(/\{\w*\}|undefined|\[object|>null<|Invalid Date|NaN/);
  });

  test.each(pages)("%s speaks of no internals", (_, html) => {
    expect(textOf(html)).not.toMatch(
      /OAuth|OpenID|token|scope|HTTP|SQL|Authentik|metadata|session|dsek_member/i,
    );
  });

  test.each(pages)("%s changes something by a form post alone", async (_, html) => {
    const elements = await readElements(html);
    const buttons = attributesOf(elements, "button");

    for (const { method, action } of attributesOf(elements, "form")) {
      expect(method).toBe("post");
      expect(action).toMatch(/^\/(api|account)\//);
    }
    expect(buttons).toHaveLength(attributesOf(elements, "form").length);
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
      platformName: visible,
      username: visible,
      globalName: visible,
      avatarUrl: visible,
      organisationName: visible,
      userAgent: visible,
    });

    await fc.assert(
      fc.asyncProperty(arbitrary, (outside) =>
        expectSameStructure(everyPage(language, outside), everyPage(language, PLAIN)),
      ),
      { numRuns: 50 },
    );
  });

  test("no text turns what is around it", () => {
    const hostile = everyPage(language, { ...outsideOf("\u202Eelin"), platformName: "D" });

    for (const html of Object.values(hostile)) {
      expect(html.replaceAll(/src="[^"]*"/g, "")).not.toMatch(/\p{Bidi_Control}/u);
    }
    expect(hostile.account?.split("elin").length).toBeGreaterThan(4);
  });

  test("says everything that there is to say, in its own language", () => {
    const other = TEXTS[language === "en" ? "sv" : "en"];
    const elsewhere = leavesOf(other);

    for (const [path, text] of leavesOf(TEXTS[language])) {
      expect(text).not.toBeEmpty();
      expect(placeholdersOf(text)).toEqual(placeholdersOf(elsewhere.get(path) ?? ""));
      expect(elsewhere.get(path)).not.toBe(text);
    }
    expect(elsewhere.size).toBe(leavesOf(TEXTS[language]).size);
  });

  test("has a sentence for each metadata record, all of which are a yes or a no", () => {
    for (const { key, type } of METADATA_RECORDS) {
      expect(TEXTS[language].role.facts[key]).toContain("{other}");
      expect(type).toBe(7);
    }
  });
});

describe("renderAccount()", () => {
  test("names both accounts, with the avatar on Discord's side", async () => {
    const html = renderAccount(contextIn("en"), accountPage());

    expect(textOf(html)).toContain("Elin Lindqvist (@elin.l)");
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
    ["en", "1", "You are listed as a member at D-sektionen: yes"],
    ["en", "0", "You are listed as a member at D-sektionen: no"],
    ["sv", "1", "Du är registrerad som medlem hos D-sektionen: ja"],
    ["sv", "0", "Du är registrerad som medlem hos D-sektionen: nej"],
  ] as const)("says in words what Discord knows, in %s for %s", (language, value, sentence) => {
    const html = renderAccount(contextIn(language), accountPage({ pushedMetadata: { dsek_member: value } }));

    expect(textOf(html)).toContain(sentence);
  });

  test("shows no record that Discord has no answer for", () => {
    const html = renderAccount(contextIn("en"), accountPage({ pushedMetadata: { retired_record: "1" } }));

    expect(textOf(html)).not.toMatch(/listed as a member|retired_record/);
  });

  test("says that the role is there for the pressing where Discord knows of a yes, and not otherwise", () => {
    const yes = textOf(renderAccount(contextIn("en"), accountPage()));
    const no = textOf(renderAccount(contextIn("en"), accountPage({ pushedMetadata: { dsek_member: "0" } })));

    expect(yes).toContain("gives you the role when you press Link under Linked Roles");
    expect(yes).not.toContain("is not given");
    expect(no).toContain("is not given");
    expect(no).not.toContain("press Link");
  });

  test("says that Discord has not been told, and when Janus tries", () => {
    const link = { pushedMetadata: null, pushedAt: null };
    const planned = textOf(renderAccount(contextIn("en"), accountPage(link)));
    const unplanned = textOf(renderAccount(contextIn("en"), accountPage({ ...link, nextPushAt: null })));

    expect(planned).toContain("Discord has not been told about you yet");
    expect(planned.replaceAll("\n", " ")).toContain("Janus tries by itself: 6 Jul 2026, 11:44 UTC");
    expect(unplanned).toContain("Press Sync now");
    expect(planned + unplanned).not.toMatch(/Discord knows|last told/);
  });

  test("says that what Discord knows is old after a failure", () => {
    const failed = textOf(renderAccount(contextIn("en"), accountPage({ pushFailures: 2 })));
    const taken = textOf(renderAccount(contextIn("en"), accountPage()));

    expect(failed).toContain("Discord has not taken the latest update yet");
    expect(failed).toContain("You are listed as a member at D-sektionen: yes");
    expect(taken).not.toContain("has not taken");
  });

  test.each([
    ["en", "4 Jul 2026, 22:30 UTC"],
    ["sv", "4 juli 2026 22:30 UTC"],
  ] as const)("shows times as UTC, in %s", async (language, shown) => {
    const html = renderAccount(contextIn(language), accountPage());
    const times = attributesOf(await readElements(html), "time").map(({ datetime }) => datetime);

    expect(textOf(html)).toContain(shown);
    expect(times).toEqual([LINKED_AT, PUSHED_AT, NEXT_PUSH_AT].map((at) => at.toISOString()));
  });

  test("says so where no check is planned", () => {
    const html = renderAccount(contextIn("en"), accountPage({ nextPushAt: null }));

    expect(textOf(html)).toContain("Next check: none is planned");
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

  test.each([...LANGUAGES])(
    "offers to link where there is no link, and nothing else to do to it, in %s",
    async (language) => {
      const html = renderAccount(contextIn(language), { ...accountPage(), link: null });

      expect(await linksOf(html)).toEqual(["/linked-role", "/api/me/export"]);
      expect(await formsOf(html)).toEqual(["/api/auth/logout"]);
      expect(textOf(html)).toContain(TEXTS[language].account.noAccount);
      expect(textOf(html)).not.toContain(PLAIN.organisationName);
      expect(textOf(html)).not.toContain("Authorized Apps");
    },
  );

  test("lists the sign-ins and ends the others where there are others", async () => {
    const html = renderAccount(contextIn("en"), {
      ...accountPage(),
      sessions: manySignIns("Safari on iPhone"),
    });

    expect(textOf(html)).toContain("Firefox on Linux (this one)");
    expect(textOf(html)).not.toContain("Safari on iPhone (this one)");
    expect(textOf(html)).toContain("Unknown device");
    expect(await formsOf(html)).toEqual(["/api/link/sync", "/account/sessions", "/api/auth/logout"]);
  });

  test("ends no other sign-ins where there are none", async () => {
    const html = renderAccount(contextIn("en"), accountPage());

    expect(textOf(html)).toContain("on this device only");
    expect(await formsOf(html)).not.toContain("/account/sessions");
  });

  test.each(NOTICES)("shows %s as a status, in each language", (notice) => {
    for (const language of LANGUAGES) {
      const html = renderAccount(contextIn(language), { ...accountPage(), notice });
      const shown = /<p [^>]*role="status"[^>]*>([^<]*)<\/p>/.exec(html)?.[1];

      expect(shown).toBe(TEXTS[language].notices[notice]);
    }
  });

  test("shows no status where there is nothing to tell", () => {
    expect(renderAccount(contextIn("en"), accountPage())).not.toContain('role="status"');
  });

  test("says that names are old only where Discord gave no answer", () => {
    const answered = textOf(renderAccount(contextIn("en"), accountPage()));
    const silent = textOf(renderAccount(contextIn("en"), { ...accountPage(), discordAnswered: false }));

    expect(silent).toContain("Discord is not answering right now");
    expect(answered).not.toContain("not answering");
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

  test("names both accounts and everything that ends", () => {
    const text = textOf(renderUnlinkQuestion(contextIn("en"), pair));

    for (const part of ["Elin Lindqvist (@elin.l)", "elili123", "lose the roles", "no longer act for you"]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/is deleted\n.*signed out here, on every device/s);
  });
});

describe("renderUnlinked()", () => {
  test.each([...LANGUAGES])(
    "tells a finished unlink from one that Discord must still hear of, in %s",
    async (language) => {
      const finished = renderUnlinked(contextIn(language), { finished: true, roleMayStay: false });
      const pending = renderUnlinked(contextIn(language), { finished: false, roleMayStay: false });

      expect(textOf(pending)).toContain(language === "en" ? "when it answers" : "när det svarar");
      expect(textOf(finished)).not.toBe(textOf(pending));
      expect(await linksOf(finished)).toEqual(["/"]);
      expect(await linksOf(pending)).toEqual(["/"]);
    },
  );
});

describe("renderAnotherAccount()", () => {
  test.each([...LANGUAGES])("says how on each side and leads there, in %s", async (language) => {
    const html = renderAnotherAccount(contextIn(language));

    expect(textOf(html)).toContain("Not you?");
    expect(textOf(html)).toContain("D-sektionen");
    expect(await linksOf(html)).toEqual(["/linked-role/another", "/account"]);
  });
});

describe("pageCsp()", () => {
  test("allows the images of one origin beside the icon, and changes nothing else", () => {
    expect(pageCsp(AVATAR_ORIGIN).replace(` ${AVATAR_ORIGIN};`, ";")).toBe(PAGE_CSP);
    expect(pageCsp(AVATAR_ORIGIN)).toContain(`img-src data: ${AVATAR_ORIGIN};`);
    expect(pageCsp()).toBe(PAGE_CSP);
  });
});

function contextIn(language: Language, outside: Outside = PLAIN): PageContext {
  return { language, requestId: "request-1", platformName: outside.platformName };
}

function outsideOf(text: string): Outside {
  return {
    platformName: text,
    username: text,
    globalName: text,
    avatarUrl: text,
    organisationName: text,
    userAgent: text,
  };
}

/** The page of a member whose role Discord knows of, signed in here alone. */
function accountPage(link: Partial<LinkFacts> = {}, outside: Outside = PLAIN) {
  const { username, globalName, avatarUrl, organisationName } = outside;
  return {
    discord: { username, globalName, avatarUrl },
    discordAnswered: true,
    link: {
      organisationName,
      linkedAt: LINKED_AT,
      pushedMetadata: { dsek_member: "1" },
      pushedAt: PUSHED_AT,
      nextPushAt: NEXT_PUSH_AT,
      pushFailures: 0,
      ...link,
    },
    roleMayStay: false,
    notice: null,
    sessions: manySignIns(null).slice(0, 1),
    discordAppUrl: DISCORD_APP_URL,
  } satisfies AccountPage;
}

/** This sign-in, and two others. */
function manySignIns(otherUserAgent: string | null): AccountPage["sessions"] {
  const times = { createdAt: LINKED_AT, lastUsedAt: PUSHED_AT };
  return [
    { current: true, userAgent: "Firefox on Linux", ...times },
    { current: false, userAgent: otherUserAgent, ...times },
    { current: false, userAgent: null, ...times },
  ];
}

/** Each page in each of its forms, by a name for the test's report. */
function everyPage(language: Language, outside: Outside): Record<string, string> {
  const context = contextIn(language, outside);
  const page: AccountPage = {
    ...accountPage({}, outside),
    sessions: manySignIns(outside.userAgent),
  };
  const account = (link: Partial<LinkFacts>) =>
    renderAccount(context, { ...page, ...accountPage(link, outside) });
  const pages: Record<string, string> = {
    account: renderAccount(context, page),
    "account, not linked": renderAccount(context, { ...page, link: null }),
    "account, a role left": renderAccount(context, { ...page, link: null, roleMayStay: true }),
    "account, without a picture": renderAccount(context, {
      ...page,
      discord: { ...page.discord, globalName: null, avatarUrl: null },
    }),
    "account, Discord silent": renderAccount(context, { ...page, discordAnswered: false }),
    "account, unnamed": account({ organisationName: null }),
    "account, not told": account({ pushedMetadata: null, pushedAt: null, pushFailures: 1 }),
    "account, told no": account({ pushedMetadata: { dsek_member: "0" } }),
    "account, nothing planned": account({ nextPushAt: null }),
    "account, outdated": account({ pushFailures: 1 }),
    "account, outdated, nothing planned": account({ pushFailures: 1, nextPushAt: null }),
    "sign-in": renderSignIn(context),
    "unlink question": renderUnlinkQuestion(context, {
      discord: page.discord,
      organisationName: outside.organisationName,
    }),
    "unlink question, unnamed": renderUnlinkQuestion(context, {
      discord: { ...page.discord, globalName: null },
      organisationName: null,
    }),
    unlinked: renderUnlinked(context, { finished: true, roleMayStay: false }),
    "unlinked, role left": renderUnlinked(context, { finished: true, roleMayStay: true }),
    "unlinked, pending": renderUnlinked(context, { finished: false, roleMayStay: false }),
    "another account": renderAnotherAccount(context),
  };
  for (const notice of NOTICES) pages[`account, ${notice}`] = renderAccount(context, { ...page, notice });
  return pages;
}

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
