import { describe, expect, test } from "bun:test";
import type { ConflictPage } from "../../lib/pages/link.tsx";
import { renderConflict, renderHome, renderLinked } from "../../lib/pages/link.tsx";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { attributesOf, linksOf, readElements, textOf } from "../harness/html.ts";
import { contextIn, DISCORD_APP_URL, DISCORD_URL, said } from "./samples.ts";

const { en } = TEXTS;

describe("renderHome()", () => {
  test.each([...LANGUAGES])(
    "leads to flow and account in %s, and names the organisation",
    async (language) => {
      const html = renderHome(contextIn(language));

      expect(await linksOf(html)).toEqual(["/linked-role", "/account", "/about"]);
      expect(textOf(html)).toContain("D-sektionen");
    },
  );

  test.each([...LANGUAGES])("greets a member, and leads to their own page first, in %s", async (language) => {
    const discord = { username: "elin.l", globalName: "Elin Lindqvist" };
    const [linked, notLinked] = [true, false].map((isLinked) =>
      renderHome(contextIn(language), { discord, isLinked }),
    );
    const { welcome } = TEXTS[language];

    expect(textOf(linked ?? "")).toContain("Elin Lindqvist (@elin.l)");
    expect(textOf(linked ?? "")).toContain(said(language, welcome.linked));
    expect(textOf(notLinked ?? "")).toContain(said(language, welcome.notLinked));
    expect(await linksOf(linked ?? "")).toEqual(["/account", "/account/another"]);
    expect(await linksOf(notLinked ?? "")).toEqual(["/account", "/linked-role"]);
  });
});

describe("renderLinked()", () => {
  const page = {
    discord: { username: "elin.l", globalName: "Elin Lindqvist" },
    organisationName: "elili123",
    pushed: true,
    isKnown: true,
    isAgain: false,
    earlierRoleMayStay: false,
    signedIn: false,
    discordAppUrl: DISCORD_APP_URL,
  };

  test.each([...LANGUAGES])("names both accounts and leads back to Discord in %s", async (language) => {
    const html = renderLinked(contextIn(language), page);

    expect(textOf(html)).toContain("Elin Lindqvist @elin.l");
    expect(textOf(html)).toContain("elili123");
    expect(await linksOf(html)).toEqual([DISCORD_APP_URL]);
  });

  test.each([...LANGUAGES])("asks for no step of a member who may have the role, in %s", (language) => {
    const { linked } = TEXTS[language];
    const again = textOf(renderLinked(contextIn(language), { ...page, isAgain: true }));
    const late = textOf(renderLinked(contextIn(language), { ...page, isAgain: true, pushed: false }));

    expect(again).toContain(linked.again);
    expect(again).not.toContain(linked.now);
    expect(late).toContain(linked.later);
    expect(late).not.toContain(linked.again);
  });

  test.each([...LANGUAGES])("leads to the account in %s once the member is signed in", async (language) => {
    const html = renderLinked(contextIn(language), { ...page, signedIn: true });

    expect(await linksOf(html)).toEqual([DISCORD_APP_URL, "/account"]);
  });

  test.each([...LANGUAGES])(
    "offers the app beside the website of Discord itself, in %s",
    async (language) => {
      const html = renderLinked(contextIn(language), { ...page, signedIn: true, discordAppUrl: DISCORD_URL });

      expect(await linksOf(html)).toEqual([DISCORD_URL, "discord://-/channels/@me", "/account"]);
      expect(textOf(html)).toContain(TEXTS[language].buttons.openDiscordApp);
    },
  );

  test.each([
    "https://discord.test/channels/@me",
    "http://discord.com/channels/@me",
    "https://discord.com.example.org/channels/@me",
    "https://discord.com:8443/channels/@me",
  ])("offers no app of the stand-in %s", async (discordAppUrl) => {
    expect(await linksOf(renderLinked(contextIn("en"), { ...page, discordAppUrl }))).toEqual([discordAppUrl]);
  });

  test.each([...LANGUAGES])("says where the button is, on a computer and a phone, in %s", (language) => {
    const { linked } = TEXTS[language];
    for (const pushed of [true, false]) {
      const text = textOf(renderLinked(contextIn(language), { ...page, pushed }));

      for (const step of [linked.onComputer, linked.onPhone]) expect(text).toContain(step);
      expect(text).toContain(said(language, linked.last));
      expect(linked.onComputer).toContain("Linked Roles");
      expect(linked.onPhone).toContain("Linked Roles");
    }
  });

  test.each([true, false])("says to click Discord's own button when pushed is %p", (pushed) => {
    const said = { en: "click Link", sv: "på Länka (Link)", de: "auf Verknüpfen (Link)" };
    for (const language of LANGUAGES)
      expect(textOf(renderLinked(contextIn(language), { ...page, pushed }))).toContain(said[language]);
  });

  test("does not promise the role before the member clicks Link", () => {
    const text = textOf(renderLinked(contextIn("en"), page));

    expect(text).toContain("Discord gives you the role only after that.");
  });

  test.each([...LANGUAGES])("says that Janus tries again only after a failed push, in %s", (language) => {
    const { linked } = TEXTS[language];
    const pushed = textOf(renderLinked(contextIn(language), page));
    const notPushed = textOf(renderLinked(contextIn(language), { ...page, pushed: false }));

    expect(pushed).toContain(said(language, linked.now));
    expect(pushed).not.toContain(said(language, linked.later));
    expect(notPushed).toContain(said(language, linked.later));
    expect(notPushed).not.toContain(said(language, linked.now));
  });

  test.each([...LANGUAGES])(
    "promises no role where nothing is known of the member, in %s",
    async (language) => {
      const { linked } = TEXTS[language];
      const html = renderLinked(contextIn(language), { ...page, isKnown: false, signedIn: true });

      expect(textOf(html)).toContain(said(language, linked.nothingKnown));
      for (const promise of [linked.now, linked.later, linked.last])
        expect(textOf(html)).not.toContain(said(language, promise));
      expect(await linksOf(html)).toEqual(["/linked-role", "/account"]);
      expect(textOf(renderLinked(contextIn(language), page))).not.toContain(
        said(language, linked.nothingKnown),
      );
    },
  );

  test.each([...LANGUAGES])("speaks of an earlier role only where one may stay, in %s", (language) => {
    const { earlierRole } = TEXTS[language].linked;
    const left = textOf(renderLinked(contextIn(language), { ...page, earlierRoleMayStay: true }));

    expect(left).toContain(earlierRole);
    expect(textOf(renderLinked(contextIn(language), page))).not.toContain(earlierRole);
  });

  test("shows the username alone where there is no display name", () => {
    for (const globalName of [null, "", " \u2003"]) {
      const html = renderLinked(contextIn("en"), { ...page, discord: { username: "elin.l", globalName } });

      expect(html).toContain('<dd><bdi class="account">@elin.l</bdi></dd>');
    }
  });

  test("says which account is meant where the organisation gives no name", () => {
    for (const organisationName of [null, "", "\n"]) {
      const html = renderLinked(contextIn("en"), { ...page, organisationName });

      expect(textOf(html)).toContain(en.unnamedAccount);
    }
  });
});

describe("renderConflict()", () => {
  const page: ConflictPage = {
    discord: { username: "elin.l", globalName: "Elin Lindqvist" },
    organisationName: "elili123",
    heldByDiscord: { username: "elin.old", globalName: "Elin before" },
    heldByOrganisation: { kind: "none" },
    formState: "state-1",
  };
  const organisationTaken = said("en", en.conflict.organisationTaken, "Elin before (@elin.old)");
  const discordTaken = said("en", en.conflict.discordTaken, "elili456");

  test("names the Discord account that loses its roles", () => {
    const text = textOf(renderConflict(contextIn("en"), page));

    for (const name of ["Elin Lindqvist @elin.l", "elili123", "Elin before (@elin.old)"]) {
      expect(text).toContain(name);
    }
    expect(organisationTaken).toContain("loses the roles");
    expect(text).toContain(organisationTaken);
    expect(text).not.toContain("no longer be linked");
  });

  test("names the organisation account that will no longer be linked", () => {
    const text = textOf(
      renderConflict(contextIn("en"), {
        ...page,
        heldByDiscord: null,
        heldByOrganisation: { kind: "named", name: "elili456" },
      }),
    );

    expect(discordTaken).toContain("no longer be linked");
    expect(text).toContain(discordTaken);
    expect(text).not.toContain("loses the roles");
  });

  test("explains an earlier organisation account that has no name", () => {
    const text = textOf(
      renderConflict(contextIn("en"), {
        ...page,
        heldByDiscord: null,
        heldByOrganisation: { kind: "unnamed" },
      }),
    );

    expect(text).toContain(said("en", en.conflict.discordTakenUnnamed));
  });

  test("explains both when both accounts are taken", () => {
    const text = textOf(
      renderConflict(contextIn("en"), { ...page, heldByOrganisation: { kind: "named", name: "elili456" } }),
    );

    expect(text).toContain(organisationTaken);
    expect(text).toContain(discordTaken);
  });

  test.each([...LANGUAGES])("moves by a form post only, and can be left, in %s", async (language) => {
    const html = renderConflict(contextIn(language), page);
    const elements = await readElements(html);

    expect(attributesOf(elements, "form")).toEqual([{ method: "post", action: "/link/move" }]);
    expect(attributesOf(elements, "input")).toEqual([{ type: "hidden", name: "state", value: "state-1" }]);
    expect(attributesOf(elements, "button")).toEqual([
      { class: "button", type: "submit" },
      { class: "button quiet", type: "submit", formaction: "/link/keep" },
    ]);
    expect(await linksOf(html)).toEqual([]);
  });
});
