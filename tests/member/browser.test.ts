/**
 * The member's account page in a real browser: sign in, sync, download, unlink and sign in again, without a script,
 * with the keyboard alone, and against the forms of another origin. SCREENSHOTS=<folder> keeps a picture of every page:
 * desktop and phone, light and dark.
 */
import { expect, test } from "bun:test";
import type { BrowserContext, Page, Response } from "playwright-core";
import { de as DE } from "../../lib/pages/texts/de.ts";
import type { Texts } from "../../lib/pages/texts/en.ts";
import { en as EN } from "../../lib/pages/texts/en.ts";
import { sv as SV } from "../../lib/pages/texts/sv.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { follow, photograph, survey, tabOrder, tabTo } from "../harness/chromium.ts";
import { CANARY, USERS } from "../harness/janus.ts";
import { rowsOf } from "../harness/rows.ts";
import { approve, createTheatre, press, signIn } from "../harness/stage.ts";

const ANNA = "Anna on Discord";
const ANNA_ID = USERS.anna.id;
const PLATFORM = "D-sektionen";
const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 900 },
];
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const IPAD = IPHONE.replace("(iPhone; CPU iPhone OS", "(iPad; CPU OS");
const UNAVAILABLE = { status: 503, body: { message: "503: Service Unavailable", code: 0 } };
/** How often Janus asks Discord before it gives up. */
const ATTEMPTS = 3;
const { isSkipped, setStage: setPlainStage } = createTheatre("The browser tests of the account");

type Stage = Awaited<ReturnType<typeof setStage>>;

/** A stage on which every token and every request of the browsers is written down. */
async function setStage() {
  const tokens: { readonly from: string; readonly kind: string; readonly token: string }[] = [];
  const requested: URL[] = [];
  const cookies: Promise<readonly string[]>[] = [];
  const stage = await setPlainStage({
    fetch: async (address, init) => {
      const response = await fetch(address, init);
      const text = await response.clone().text();
      for (const [, kind = "", token = ""] of text.matchAll(
        /"(access_token|refresh_token|id_token)":"([^"]+)"/g,
      ))
        tokens.push({ from: new URL(address).origin, kind, token });
      return response;
    },
    onContext: (context) => {
      context.on("request", (request) => void requested.push(new URL(request.url())));
      context.on("response", (response) => {
        cookies.push(response.headerValues("set-cookie"));
        if (response.url().startsWith(stage.janus.url)) stage.faults.push(...looseContent(response));
      });
    },
  });
  return { ...stage, requested, cookies, tokens };
}

/** A page that would let a script run. */
function looseContent(response: Response): readonly string[] {
  const { "content-type": type = "", "content-security-policy": policy = "" } = response.headers();
  const isClosed = policy.startsWith("default-src 'none';") && !policy.includes("script-src");
  return type.startsWith("text/html") && !isClosed ? [`${response.url()} allows: ${policy}`] : [];
}

function accountTest(name: string, walk: (stage: Stage) => Promise<void>): void {
  test.skipIf(isSkipped)(name, async () => {
    const stage = await setStage();
    try {
      await walk(stage);
      expect(stage.faults).toEqual([]);
      expect([...stage.janus.discord.unexpected, ...stage.janus.provider.unexpected]).toEqual([]);
      expect(await findLeaks(stage)).toEqual([]);
    } finally {
      await stage.strike();
    }
  });
}

/** The secrets in the log that only Janus, the two servers and the member's browser may know. */
async function findLeaks({ janus, requested, cookies, tokens }: Stage): Promise<readonly string[]> {
  const secret = /^(code|state|nonce|code_challenge)$/;
  const query = requested.flatMap(({ searchParams }) =>
    [...searchParams].filter(([name]) => secret.test(name)),
  );
  const kept = (await Promise.all(cookies)).flat().map((cookie) => /^[^=]+=([^;]*)/.exec(cookie)?.[1] ?? "");
  const secrets = [...tokens.map(({ token }) => token), ...query.map(([, value]) => value), ...kept];
  const known = [...new Set([...secrets, ...Object.values(CANARY), "canary"])].filter(
    (value) => value !== "",
  );
  expect(janus.logLines.length).toBeGreaterThan(0);
  expect(known.length).toBeGreaterThan(5);
  const log = janus.logLines.join("");
  return known.filter((value) => log.includes(value));
}

accountTest("linking leads to the account page without a second visit to Discord", async (stage) => {
  const { discord } = stage.janus;
  const page = await (await stage.member()).newPage();
  await link(stage, page);
  const visits = authorizations(stage).length;
  const exchanges = callsOf(stage, "token_code");
  await press(page, EN.buttons.toAccount);

  await expectPage(page, EN.account.title);
  await photograph(page, "account-linked");
  expect(page.url()).toBe(`${stage.janus.url}/account`);
  expect(authorizations(stage)).toHaveLength(visits);
  expect(callsOf(stage, "token_code")).toBe(exchanges);
  expect(await accountNames(page)).toEqual([ANNA, "anna"]);
  expect(await mainText(page)).toContain("@anna_d");
  const avatar = page.locator("dl.accounts img");
  expect(await avatar.getAttribute("src")).toStartWith(`${discord.cdnUrl}/avatars/${ANNA_ID}/`);
  expect(await avatar.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  expect(await mainText(page)).toContain("Member: yes");
  expect(await mainText(page)).toContain(EN.role.lastTold.replace("{other}", ""));
});

accountTest("Sync now tells Discord at once, at most once a minute", async (stage) => {
  const { clock, discord, provider, url } = stage.janus;
  const page = await (await stage.member()).newPage();
  await linkAndOpenAccount(stage, page);
  const pushes = callsOf(stage, "put_role_connection");
  await press(page, EN.buttons.sync);
  await expectNotice(page, EN.notices.synced);
  await photograph(page, "account-synced");
  expect(callsOf(stage, "put_role_connection")).toBe(pushes + 1);

  await press(page, EN.buttons.sync);
  await expectNotice(page, EN.notices.sync_too_soon);
  await photograph(page, "account-too-soon");
  expect(callsOf(stage, "put_role_connection")).toBe(pushes + 1);

  clock.advance(61);
  await press(page, EN.buttons.sync);
  await expectNotice(page, EN.notices.synced);
  expect(callsOf(stage, "put_role_connection")).toBe(pushes + 2);

  clock.advance(61);
  discord.failNext("put_role_connection", UNAVAILABLE, ATTEMPTS);
  await press(page, EN.buttons.sync);
  await expectNotice(page, EN.notices.sync_failed);
  await photograph(page, "account-sync-failed");
  expect(await mainText(page)).toContain(EN.role.outdated);
  expect(await mainText(page)).not.toContain(EN.role.knows);
  expect(page.url()).toStartWith(`${url}/account`);
  expect(provider.calls.filter((call) => call === "token")).toHaveLength(1);
});

accountTest("Download my data gives a file that holds no secret", async (stage) => {
  const { database, discord } = stage.janus;
  const context = await stage.member({ userAgent: FIREFOX });
  const page = await context.newPage();
  await linkAndOpenAccount(stage, page);
  const { name, text } = await downloadBy(page, () => press(page, EN.buttons.export));

  const stored = JSON.parse(text);
  expect(name).toBe("janus-export.json");
  expect(stored.discord_account).toMatchObject({ id: ANNA_ID, username: "anna_d", display_name: ANNA });
  expect(stored.discord_grant).toMatchObject({ access_token: "present", refresh_token: "present" });
  expect(stored.organisation_account.claims.preferred_username).toBe("anna");
  expect(stored.sessions).toMatchObject([{ user_agent: "Firefox on Linux", access_token: "present" }]);
  const sealed = await database.rows(
    `select access_token_sealed as a, refresh_token_sealed as b from discord_token
    union all select access_token_sealed, refresh_token_sealed from organisation_token
    union all select access_token_sealed, refresh_token_sealed from session
    union all select session_id_hash, null from session`,
  );
  const secrets = [
    ...discord.tokens(ANNA_ID).map(({ token }) => token),
    ...stage.tokens.map(({ token }) => token),
    ...(await cookiesOfJanus(context)),
    ...sealed.flatMap(({ a, b }) => [a, b]).filter((value) => value !== null),
  ].map(String);
  expect(secrets.length).toBeGreaterThan(12);
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(EN.account.title);
});

accountTest("Use another account shows the provider's login again and asks before a move", async (stage) => {
  const { discord, url } = stage.janus;
  const page = await (await stage.member()).newPage();
  await linkAndOpenAccount(stage, page);
  await press(page, EN.buttons.useAnother);
  await expectPage(page, EN.another.title);
  await press(page, EN.buttons.confirmAnother);
  await approve(page, ANNA);
  // The provider knows anna in this browser, and would go on as her.
  expect(await page.getByLabel("Username").isVisible()).toBe(true);
  await signIn(page, "bo");

  await expectPage(page, EN.conflict.title);
  await photograph(page, "account-another-conflict");
  expect(discord.roleConnection(ANNA_ID)?.platform_username).toBe("anna");
  await press(page, EN.buttons.leave);
  await page.goto(`${url}/account`);
  expect(await accountNames(page)).toEqual([ANNA, "anna"]);
  expect(discord.matches(ANNA_ID)).toBe(true);
});

accountTest("a member can sign out, sign in again and end the sign-in of another browser", async (stage) => {
  const { discord, url } = stage.janus;
  const laptop = await stage.member({ userAgent: FIREFOX });
  const page = await laptop.newPage();
  await linkAndOpenAccount(stage, page);
  await press(page, EN.buttons.signOut);
  await expectPage(page, EN.signedOut.title);
  expect(await cookiesOfJanus(laptop)).toEqual([]);
  await press(page, EN.buttons.toStart);
  await press(page, EN.buttons.seeLink);
  await expectPage(page, EN.signIn.title);
  await signInToAccount(page, EN);

  const login = authorizations(stage).at(-1)?.searchParams;
  expect(login?.get("scope")).toBe("identify");
  expect(login?.get("code_challenge_method")).toBe("S256");
  expect(discord.matches(ANNA_ID)).toBe(true);
  expect(await mainText(page)).toContain(EN.sessions.onlyThis);

  const phone = await stage.member({ userAgent: IPHONE });
  const other = await phone.newPage();
  await other.goto(`${url}/account`);
  await signInToAccount(other, EN);
  await page.reload();
  await photograph(page, "account-sign-ins");
  const signIns = await page.locator(".sessions li").allInnerTexts();
  expect(signIns.map((text) => text.split("\n")[0]).toSorted()).toEqual([
    `Firefox on Linux (${EN.sessions.current})`,
    "Safari on iPhone",
  ]);
  await press(page, EN.buttons.endOthers);

  await expectNotice(page, EN.notices.sessions_ended);
  expect(await mainText(page)).toContain(EN.sessions.onlyThis);
  await other.reload();
  await expectPage(other, EN.signIn.title);
  expect(await cookiesOfJanus(phone)).toEqual([]);
});

accountTest("a member ends the sign-in of one browser and leaves the others alone", async (stage) => {
  const { url } = stage.janus;
  const laptop = await (await stage.member({ userAgent: FIREFOX, javaScriptEnabled: false })).newPage();
  await linkAndOpenAccount(stage, laptop);
  const phone = await (await stage.member({ userAgent: IPHONE })).newPage();
  const tablet = await (await stage.member({ userAgent: IPAD })).newPage();
  for (const page of [phone, tablet]) {
    await page.goto(`${url}/account`);
    await signInToAccount(page, EN);
  }
  await laptop.reload();
  await photograph(laptop, "account-browsers");
  const items = laptop.locator(".sessions li");
  const own = items.filter({ hasText: EN.sessions.current });
  expect(await own.getByRole("button").count()).toBe(0);
  const times = await items
    .locator("time")
    .evaluateAll((all: HTMLTimeElement[]) =>
      all.map(({ dateTime, textContent }) => ({ dateTime, shown: textContent ?? "" })),
    );
  expect(times).toHaveLength(6);
  for (const { dateTime, shown } of times) {
    expect(dateTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(shown).toMatch(/^\d{1,2} \w+ \d{4}, \d\d:\d\d CES?T$/);
  }

  await press(laptop, "Sign out on Safari on iPhone");
  await expectNotice(laptop, EN.notices.session_ended);
  await photograph(laptop, "account-browser-ended");
  expect(await items.count()).toBe(2);
  await phone.reload();
  await expectPage(phone, EN.signIn.title);
  await tablet.reload();
  await expectPage(tablet, EN.account.title);

  await press(laptop, "Sign out on Safari on iPad");
  await expectNotice(laptop, EN.notices.session_ended);
  expect(await mainText(laptop)).toContain(EN.sessions.onlyThis);
});

accountTest("unlinking asks first, leaves nothing and needs no script", async (stage) => {
  const { database, discord, provider, url } = stage.janus;
  const context = await stage.member({
    locale: "sv-SE",
    colorScheme: "dark",
    javaScriptEnabled: false,
    viewport: { width: 390, height: 844 },
  });
  const page = await context.newPage();
  await linkAndOpenAccount(stage, page, SV);
  const before = await database.dump();
  const calls = discord.calls.length;
  await press(page, SV.buttons.unlink);
  await expectPage(page, SV.unlink.title);
  expect(await database.dump()).toBe(before);
  expect(discord.calls).toHaveLength(calls);
  const ofProvider = stage.tokens.filter(({ from, kind }) => from === provider.issuer && kind !== "id_token");
  expect(ofProvider.map(({ token }) => provider.isLive(token))).toEqual([true, true]);
  await press(page, SV.buttons.confirmUnlink);

  await expectPage(page, SV.unlinked.title);
  expect(await mainText(page)).toContain(SV.unlinked.finished.replaceAll("{platform}", PLATFORM));
  expect(discord.roleConnection(ANNA_ID)).toBeUndefined();
  expect(discord.tokens(ANNA_ID)).toEqual([]);
  expect(ofProvider.map(({ token }) => provider.isLive(token))).toEqual([false, false]);
  expect(provider.refreshTokens("anna")).toBe(0);
  expect(await cookiesOfJanus(context)).toEqual([]);
  expect(await leftOver(stage, ["link", "session", "discord_token", "organisation_token"])).toEqual([]);

  await page.goto(`${url}/account`);
  await signInToAccount(page, SV);
  await photograph(page, "account-not-linked");
  expect(await mainText(page)).toContain(SV.account.noAccount);
  await press(page, SV.buttons.linkAccount);
  expect(page.url()).toStartWith(discord.authorizeUrl);
});

accountTest("unlinking while Discord is down is finished when Discord is back", async (stage) => {
  const { clock, deps, discord } = stage.janus;
  const context = await stage.member();
  const page = await context.newPage();
  await linkAndOpenAccount(stage, page);
  await press(page, EN.buttons.unlink);
  discord.failNext("delete_role_connection", UNAVAILABLE, ATTEMPTS);
  await press(page, EN.buttons.confirmUnlink);

  await expectPage(page, EN.unlinked.title);
  await photograph(page, "account-unlink-pending");
  expect(await mainText(page)).toContain(EN.unlinked.pending);
  expect(await leftOver(stage, ["link", "session"])).toEqual([]);
  expect(await cookiesOfJanus(context)).toEqual([]);
  expect(discord.matches(ANNA_ID)).toBe(true);

  await runUpkeep(deps);
  expect(discord.matches(ANNA_ID)).toBe(true);
  clock.advance(901);
  await runUpkeep(deps);
  expect(discord.roleConnection(ANNA_ID)).toBeUndefined();
  expect(discord.tokens(ANNA_ID)).toEqual([]);
  expect(await leftOver(stage, ["link", "session", "discord_token", "organisation_token"])).toEqual([]);
});

const STATE_CHANGES = ["/api/auth/logout", "/api/link/sync", "/account/unlink", "/account/sessions"];

accountTest("forms from another origin are refused and change nothing", async (stage) => {
  const { database, discord, url } = stage.janus;
  const context = await stage.member();
  const page = await context.newPage();
  await linkAndOpenAccount(stage, page);
  const before = await database.dump();
  const calls = discord.calls.length;
  const cookies = await cookiesOfJanus(context);
  // The same site, since a site has no port: the member's cookies are sent along.
  using stranger = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => formsTo(url, request.url),
  });

  for (const policy of ["unsafe-url", "no-referrer"]) {
    for (const path of STATE_CHANGES) {
      await page.goto(`${stranger.url}?policy=${policy}`);
      const [response] = await Promise.all([page.waitForNavigation(), press(page, path)]);
      const sent = await response?.request().allHeaders();
      expect({ path, status: response?.status() }).toEqual({ path, status: 403 });
      expect(sent?.origin).toBe(policy === "no-referrer" ? "null" : stranger.url.origin);
      expect(sent?.cookie).toContain("sessionKey=");
      await expectPage(page, EN.errors.origin_refused.title);
    }
  }
  expect(await database.dump()).toBe(before);
  expect(discord.calls).toHaveLength(calls);
  expect(await cookiesOfJanus(context)).toEqual(cookies);
  await page.goto(`${url}/account`);
  await expectPage(page, EN.account.title);
});

accountTest(
  "a member can unlink in spite of cookies that another application named like ours",
  async (stage) => {
    const context = await stage.member();
    // A longer path than ours: the browser sends these before ours.
    for (const name of ["sessionId", "sessionKey"])
      await context.addCookies([{ name, value: "of-another-app", domain: "127.0.0.1", path: "/account" }]);
    const page = await context.newPage();
    await linkAndOpenAccount(stage, page);
    await press(page, EN.buttons.unlink);
    await press(page, EN.buttons.confirmUnlink);

    await expectPage(page, EN.unlinked.title);
    expect(await rowsOf(stage.janus, "link")).toEqual([]);
  },
);

accountTest("a browser that hides the origin of its own forms can still undo the link", async (stage) => {
  const { url } = stage.janus;
  const page = await (await stage.member()).newPage();
  await linkAndOpenAccount(stage, page);
  // An add-on does this, or a proxy that sets the policy of every page.
  await page.route(`${url}/account/unlink`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), "referrer-policy": "no-referrer" } });
  });
  await page.goto(`${url}/account/unlink`);
  await page.unrouteAll();

  const [response] = await Promise.all([page.waitForNavigation(), press(page, EN.buttons.confirmUnlink)]);

  const sent = await response?.request().redirectedFrom()?.allHeaders();
  expect([sent?.origin, sent?.["sec-fetch-site"]]).toEqual(["null", "same-origin"]);
  expect(response?.status()).toBe(200);
  expect(await rowsOf(stage.janus, "link")).toEqual([]);
});

accountTest("the keyboard alone operates every page, and the focus stays visible", async (stage) => {
  const page = await (await stage.member()).newPage();
  await page.goto(`${stage.janus.url}/linked-role`);
  await tabTo(page, `Authorize as ${ANNA}`);
  await follow(page, "Enter");
  await tabTo(page, "Username");
  await page.keyboard.type("anna");
  await page.keyboard.press("Tab");
  await page.keyboard.type("demo");
  await follow(page, "Enter");
  await tabTo(page, EN.buttons.toAccount);
  await follow(page, "Enter");
  await expectPage(page, EN.account.title);
  const { backToDiscord, sync, useAnother, unlink, export: download, signOut } = EN.buttons;
  const { about } = EN.footer;
  expect(await tabOrder(page)).toEqual([backToDiscord, sync, useAnother, unlink, download, signOut, about]);

  await tabTo(page, sync);
  await follow(page, "Space");
  await expectNotice(page, EN.notices.synced);
  await tabTo(page, download);
  expect((await downloadBy(page, () => page.keyboard.press("Enter"))).text).toContain(ANNA_ID);
  await tabTo(page, unlink);
  await follow(page, "Enter");
  await expectPage(page, EN.unlink.title);
  expect(await tabOrder(page)).toEqual([EN.buttons.confirmUnlink, EN.buttons.keepLink, about]);
  await tabTo(page, EN.buttons.keepLink);
  await follow(page, "Enter");
  await expectPage(page, EN.account.title);
  await tabTo(page, signOut);
  await follow(page, "Space");
  await expectPage(page, EN.signedOut.title);
  await tabTo(page, EN.buttons.toStart);
  await follow(page, "Enter");
  await tabTo(page, EN.buttons.seeLink);
  await follow(page, "Enter");
  await tabTo(page, EN.buttons.signIn);
  await follow(page, "Enter");
  await tabTo(page, `Authorize as ${ANNA}`);
  await follow(page, "Enter");
  await expectPage(page, EN.account.title);

  expect(stage.janus.discord.matches(ANNA_ID)).toBe(true);
});

for (const [locale, texts, sizes] of [
  ["en-GB", EN, SIZES],
  ["sv-SE", SV, []],
  ["de-DE", DE, []],
] as const) {
  accountTest(
    `every account page is accessible at every size, light and dark, in ${locale}`,
    async (stage) => {
      const { discord, url } = stage.janus;
      const barriers: string[] = [];
      const page = await (await stage.member({ locale })).newPage();
      const see = async (name: string, title: string) => {
        await expectPage(page, title);
        await photograph(page, `account-page-${name}`);
        barriers.push(...(await survey(page, sizes)).map((barrier) => `${name} ${barrier}`));
      };
      await page.goto(`${url}/account`);
      await see("sign-in", texts.signIn.title);
      const other = await (await stage.member({ locale, userAgent: IPHONE })).newPage();
      await linkAndOpenAccount(stage, other, texts);
      await page.goto(`${url}/login`);
      await approve(page, ANNA);
      await press(page, texts.buttons.sync);
      await see("linked", texts.account.title);
      await press(page, texts.buttons.useAnother);
      await see("another", texts.another.title);
      discord.failNext("get_current_authorization", UNAVAILABLE, ATTEMPTS);
      await press(page, texts.buttons.backToAccount);
      expect(await mainText(page)).toContain(texts.account.discordSilent);
      await see("discord-silent", texts.account.title);
      await press(page, texts.buttons.unlink);
      await see("unlink-question", texts.unlink.title);
      await press(page, texts.buttons.confirmUnlink);
      await see("unlinked", texts.unlinked.title);
      await page.goto(`${url}/login`);
      await approve(page, ANNA);
      expect(await mainText(page)).toContain(texts.account.noAccount);
      await see("not-linked", texts.account.title);

      expect(barriers).toEqual([]);
    },
  );
}

async function link({ janus }: Stage, page: Page, texts: Texts = EN): Promise<void> {
  await page.goto(`${janus.url}/linked-role`);
  await approve(page, ANNA);
  await signIn(page, "anna");
  await expectPage(page, texts.linked.title);
}

async function linkAndOpenAccount(stage: Stage, page: Page, texts: Texts = EN): Promise<void> {
  await link(stage, page, texts);
  await press(page, texts.buttons.toAccount);
  await expectPage(page, texts.account.title);
}

/** Signs in from the page that says where to sign in. */
async function signInToAccount(page: Page, texts: Texts): Promise<void> {
  await press(page, texts.buttons.signIn);
  await approve(page, ANNA);
  await expectPage(page, texts.account.title);
}

const mainText = async (page: Page): Promise<string> => (await page.locator("main").textContent()) ?? "";

const accountNames = (page: Page): Promise<readonly string[]> =>
  page.locator("dl.accounts .account").allTextContents();

const authorizations = ({ janus, requested }: Stage): readonly URL[] =>
  requested.filter(({ href }) => href.startsWith(janus.discord.authorizeUrl));

const callsOf = ({ janus }: Stage, wanted: string): number =>
  janus.discord.calls.filter(({ operation }) => operation === wanted).length;

/** Expects the page with this heading and no script on it. */
async function expectPage(page: Page, title: string): Promise<void> {
  const heading = await page.getByRole("heading", { level: 1 }).textContent();
  expect(heading).toBe(title.replaceAll("{platform}", PLATFORM));
  const active = page.locator("script, iframe, [onclick], [onload], [onerror], a[href^='javascript:']");
  expect(await active.count()).toBe(0);
}

/** Expects the account page with this notice, which a screen reader reads out: it has the focus and begins the title. */
async function expectNotice(page: Page, text: string): Promise<void> {
  await expectPage(page, EN.account.title);
  expect(await page.getByRole("status").textContent()).toBe(text);
  expect(await page.locator(":focus").textContent()).toBe(text);
  expect(await page.title()).toStartWith(text);
}

/** The rows that are left in these tables, which only Anna had rows in. */
async function leftOver({ janus }: Stage, tables: readonly string[]): Promise<readonly unknown[]> {
  const rows = await Promise.all(tables.map((table) => janus.database.rows(`select * from ${table}`)));
  return rows.flat();
}

/**
 * The values of Janus's cookies of flows and sessions, which open something. The host is also the provider's, whose cookies
 * begin with an underscore.
 */
async function cookiesOfJanus(context: BrowserContext): Promise<readonly string[]> {
  const cookies = await context.cookies();
  return cookies.filter(({ name }) => !/^(_|janus_result_)/.test(name)).map(({ value }) => value);
}

async function downloadBy(page: Page, act: () => Promise<void>) {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: download.suggestedFilename(), text: await Bun.file(await download.path()).text() };
}

/** A page of somebody else's, with a form of one button for each address. */
function formsTo(url: string, address: string): globalThis.Response {
  const policy = new URL(address).searchParams.get("policy");
  const forms = STATE_CHANGES.map(
    (path) => `<form method="post" action="${url}${path}"><button>${path}</button></form>`,
  );
  const head = `<meta name="referrer" content="${policy}"><link rel="icon" href="data:,">`;
  return new globalThis.Response(`<!doctype html>${head}<title>Forms</title>${forms.join("")}`, {
    headers: { "content-type": "text/html" },
  });
}
