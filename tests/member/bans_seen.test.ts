/** What a member reads on their own page of bans: that an administrator banned them, looked at the ban, or lifted it. */
import { describe, expect, test } from "bun:test";
import { noteLook } from "../../lib/operator/admin/member.ts";
import type { BannedAccounts } from "../../lib/operator/bans.ts";
import { addBan, removeBan } from "../../lib/operator/bans.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { signIn } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database }));

const BANNED = "An administrator banned you from linking.";
const LOOKED = "An administrator looked at a ban of yours.";
const LIFTED = "An administrator lifted a ban of yours.";
const OTHERS = "What administrators did";

const ofDiscord = (discordUserId: string): BannedAccounts => ({ discordUserId, issuer: null, subject: null });
const ofSubject = (subject: string): BannedAccounts => ({
  discordUserId: null,
  issuer: janus.provider.issuer,
  subject,
});
const ofBoth = (discordUserId: string, subject: string): BannedAccounts => ({
  ...ofSubject(subject),
  discordUserId,
});
const ban = (accounts: BannedAccounts) =>
  addBan(janus.deps, { ...accounts, expiresAt: null, reason: "spam-canary", operator: "eva-canary" });

async function link(user: string, subject = `sub-${user}`, browser = createBrowser(janus.url)) {
  janus.provider.signInAs({ sub: subject, preferred_username: subject });
  const answer = await browser.get(await reachForgerCallback(browser, user));
  return { browser, answer, subject };
}
const readAccount = async (browser: Browser) => textOf(await (await browser.get("/account")).text());
const accountOf = async (user: string) => readAccount(await signIn(janus, user));

describe("/account of a banned member", () => {
  test.each([
    ["both accounts", ofBoth],
    ["the Discord account", (user: string) => ofDiscord(user)],
    ["the account at the provider", (_: string, subject: string) => ofSubject(subject)],
  ] as const)(
    "says that %s was banned, looked at and lifted, and not by whom or why",
    async (_, accountsOf) => {
      const user = newUser();
      const { subject } = await link(user);
      const accounts = accountsOf(user, subject);

      await ban(accounts);
      const banned = await accountOf(user);
      await noteLook(janus.deps, { operator: "eva-canary" }, { at: "ban", ...accounts });
      await removeBan(janus.deps, accounts, "eva-canary");
      const lifted = await accountOf(user);

      expect(banned).toContain(BANNED);
      expect(banned).not.toContain(LIFTED);
      for (const text of [BANNED, LOOKED, LIFTED]) expect(lifted).toContain(text);
      for (const page of [banned, lifted]) expect(page).not.toContain("canary");
    },
  );

  test("says so to somebody who never had a link", async () => {
    const user = newUser();
    await ban(ofDiscord(user));

    expect(await accountOf(user)).toContain(BANNED);
  });

  test("says so in each language", async () => {
    const user = newUser();
    await ban(ofDiscord(user));
    const browser = await signIn(janus, user);
    const cookie = browser.jar.header(new URL(janus.url));

    const pages = await Promise.all(
      LANGUAGES.map(async (language) =>
        (await fetch(`${janus.url}/account`, { headers: { cookie, "accept-language": language } })).text(),
      ),
    );

    for (const [index, language] of LANGUAGES.entries())
      expect(pages[index]).toContain(TEXTS[language].handled.banned.replace("{other}: ", ""));
  });

  test("says nothing of it after a month", async () => {
    const user = newUser();
    await ban(ofDiscord(user));
    janus.clock.advance(31 * 86_400);

    expect(await accountOf(user)).not.toContain(OTHERS);
  });
});

describe("/account of somebody else", () => {
  test("says nothing of a ban of another member", async () => {
    const [user, other] = [newUser(), newUser()];
    const { browser } = await link(user);
    const { subject } = await link(other);

    await ban(ofBoth(other, subject));

    expect(await readAccount(browser)).not.toContain(OTHERS);
  });

  test("says nothing of a ban of the account whose link has moved to another Discord account", async () => {
    const [first, second] = [newUser(), newUser()];
    const { subject } = await link(first);
    const { browser, answer } = await link(second, subject);
    const [, state = ""] = /name="state" value="([^"]+)"/.exec(await answer.text()) ?? [];
    expect((await browser.post("/link/move", { state })).status).toBe(200);

    await ban(ofSubject(subject));

    expect(await accountOf(first)).not.toContain(OTHERS);
    expect(await accountOf(second)).toContain(BANNED);
  });

  test("says nothing of a ban of the account that the member had before this one", async () => {
    const user = newUser();
    const { browser, subject } = await link(user);
    await browser.post("/account/unlink", {});
    const again = await link(user, `another-${user}`);

    await ban(ofSubject(subject));

    expect(await readAccount(again.browser)).not.toContain(OTHERS);
  });
});
