/**
 * The flow in a real browser, from the Linked Roles link to the role, clicked through the pages of Discord and of
 * the provider. SCREENSHOTS=<folder> keeps a picture of every page: desktop and phone, light and dark.
 */
import { expect, test } from "bun:test";
import type { BrowserContextOptions, Page } from "playwright-core";
import { de } from "../../lib/pages/texts/de.ts";
import { en } from "../../lib/pages/texts/en.ts";
import { sv } from "../../lib/pages/texts/sv.ts";
import { findBarriers, PHONE, photograph } from "../harness/chromium.ts";
import { USERS } from "../harness/janus.ts";
import { approve, createTheatre, press, signIn } from "../harness/stage.ts";
import { approveDiscord } from "../standins/member.ts";

const SWEDISH_PHONE: BrowserContextOptions = { locale: "sv-SE", viewport: PHONE, colorScheme: "dark" };
const GERMAN_PHONE = { ...SWEDISH_PHONE, locale: "de-DE" };
const ANNA = "Anna on Discord";
const PLATFORM = "D-sektionen";
const { isSkipped, setStage } = createTheatre("The browser tests");

type Stage = Awaited<ReturnType<typeof setStage>>;

function browserTest(name: string, walk: (stage: Stage) => Promise<void>): void {
  test.skipIf(isSkipped)(name, async () => {
    const stage = await setStage();
    try {
      await walk(stage);
      expect(stage.faults).toEqual([]);
      expect([...stage.janus.discord.unexpected, ...stage.janus.provider.unexpected]).toEqual([]);
    } finally {
      await stage.strike();
    }
  });
}

browserTest("the Linked Roles link leads to the success page and from there to the role", async (stage) => {
  const page = await (await stage.member()).newPage();
  await page.goto(`${stage.janus.discord.url}/app`);
  await photograph(page, "discord-1-server");
  await page.getByRole("link", { name: "Linked Roles: verify" }).click();
  await photograph(page, "discord-2-consent");
  await approve(page, ANNA);
  await photograph(page, "provider-1-login");
  await signIn(page, "anna");

  await expectPage(page, "linked", en.linked.title);
  expect(await page.locator("main").textContent()).toContain("@anna_d");
  await press(page, en.buttons.backToDiscord);
  expect(stage.janus.discord.hasRole(USERS.anna.id)).toBe(false);
  await photograph(page, "discord-3-back");
  await page.getByRole("button", { name: `Link ${ANNA}` }).click();
  await photograph(page, "discord-4-role");

  expect(await page.getByText(`${ANNA} has the role`).count()).toBe(1);
  expect(stage.janus.discord.hasRole(USERS.anna.id)).toBe(true);
});

for (const [language, options, texts] of [
  ["sv", SWEDISH_PHONE, sv],
  ["de", GERMAN_PHONE, de],
] as const) {
  browserTest(`the flow runs in ${language} on a dark phone without JavaScript`, async (stage) => {
    const page = await (await stage.member({ ...options, javaScriptEnabled: false })).newPage();
    await page.goto(`${stage.janus.url}/`);
    await expectHeading(page, texts.home.title);
    await press(page, texts.buttons.linkAccount);
    await approve(page, ANNA);
    await signIn(page, "anna");

    await expectHeading(page, texts.linked.title);
    expect(await page.locator("html").getAttribute("lang")).toBe(language);
    expect(stage.janus.discord.matches(USERS.anna.id)).toBe(true);
  });
}

browserTest("pages that need no sign-in are accessible in every language", async (stage) => {
  for (const [options, texts] of [
    [{ viewport: PHONE }, en],
    [SWEDISH_PHONE, sv],
    [GERMAN_PHONE, de],
  ] as const) {
    const page = await (await stage.member(options)).newPage();
    await page.goto(`${stage.janus.url}/`);
    await expectPage(page, "home", texts.home.title);
    await page.goto(`${stage.janus.url}/nowhere`);
    await expectPage(page, "not-found", texts.errors.not_found.title);
  }
});

browserTest("cancelling at Discord leads to a page where the flow can be started again", async (stage) => {
  const page = await (await stage.member()).newPage();
  await page.goto(`${stage.janus.url}/linked-role`);
  await cancel(page);
  await expectPage(page, "cancelled-at-discord", en.cancelled.discordTitle);
  await press(page, en.buttons.tryAgain);

  expect(page.url()).toStartWith(stage.janus.discord.authorizeUrl);
});

browserTest("cancelling at the provider links nothing, and the flow can be started again", async (stage) => {
  const page = await (await stage.member(SWEDISH_PHONE)).newPage();
  await page.goto(`${stage.janus.url}/linked-role`);
  await approve(page, ANNA);
  await cancel(page);
  await expectPage(page, "cancelled-at-provider", sv.cancelled.providerTitle);
  expect(stage.janus.discord.roleConnection(USERS.anna.id)).toBeUndefined();
  await press(page, sv.buttons.tryAgain);
  await approve(page, ANNA);
  await signIn(page, "anna");

  await expectPage(page, "linked", sv.linked.title);
});

browserTest(
  "a second Discord account takes over link and role connection after a question",
  async (stage) => {
    const { discord } = stage.janus;
    const page = await (await stage.member()).newPage();
    await page.goto(`${stage.janus.url}/linked-role`);
    await approve(page, ANNA);
    await signIn(page, "anna");
    await expectHeading(page, en.linked.title);
    await page.goto(`${stage.janus.url}/linked-role`);
    await approve(page, "bo_d");
    await photograph(page, "provider-2-continue");
    await page.getByRole("button", { name: "Continue as" }).click();

    await expectPage(page, "conflict", en.conflict.title);
    const main = (await page.locator("main").textContent()) ?? "";
    expect([main.includes("@bo_d"), main.includes("@anna_d")]).toEqual([true, true]);
    expect(discord.roleConnection(USERS.bo.id)).toBeUndefined();
    expect(discord.matches(USERS.anna.id)).toBe(true);

    await press(page, en.buttons.move);
    await expectPage(page, "moved", en.linked.title);
    expect(discord.roleConnection(USERS.anna.id)).toBeUndefined();
    expect(discord.roleConnection(USERS.bo.id)?.platform_username).toBe("anna");
  },
);

browserTest("a second Discord account changes nothing if the member leaves the link", async (stage) => {
  const page = await (await stage.member(SWEDISH_PHONE)).newPage();
  await page.goto(`${stage.janus.url}/linked-role`);
  await approve(page, ANNA);
  await signIn(page, "anna");
  await page.goto(`${stage.janus.url}/linked-role`);
  await approve(page, "bo_d");
  await page.getByRole("button", { name: "Continue as" }).click();
  await expectPage(page, "conflict", sv.conflict.title);
  await press(page, sv.buttons.leave);
  await expectPage(page, "kept", sv.kept.title);

  expect(stage.janus.discord.roleConnection(USERS.bo.id)).toBeUndefined();
  expect(stage.janus.discord.matches(USERS.anna.id)).toBe(true);
});

browserTest("two tabs of one browser both finish with different accounts", async (stage) => {
  const context = await stage.member();
  const [first, second] = [await context.newPage(), await context.newPage()];
  for (const page of [first, second]) await page.goto(`${stage.janus.url}/linked-role`);
  await approve(first, ANNA);
  await approve(second, "bo_d");
  await signIn(first, "anna");
  await signIn(second, "bo");

  for (const page of [first, second]) await expectHeading(page, en.linked.title);
  expect(stage.janus.discord.roleConnection(USERS.anna.id)?.platform_username).toBe("anna");
  expect(stage.janus.discord.roleConnection(USERS.bo.id)?.platform_username).toBe("bo");
});

browserTest("the last callback, asked for once more, leads to the member's link", async (stage) => {
  const page = await (await stage.member()).newPage();
  await page.goto(`${stage.janus.url}/linked-role`);
  await approve(page, ANNA);
  const callback = page.waitForRequest(/dsek-oauth-callback/);
  await signIn(page, "anna");
  await expectHeading(page, en.linked.title);
  await page.goto((await callback).url());
  await expectPage(page, "repeated", en.errors.state_mismatch.title);
  await page.reload();
  await expectHeading(page, en.errors.state_mismatch.title);

  expect(await page.locator("main").textContent()).toContain(en.errors.state_mismatch.now);
  expect(stage.janus.discord.matches(USERS.anna.id)).toBe(true);
  await press(page, en.buttons.toAccount);
  expect(page.url()).toBe(`${stage.janus.url}/account`);
  expect(await page.locator("main").textContent()).toContain("@anna_d");
  await page.goBack();
  await press(page, en.buttons.startAgain);
  expect(page.url()).toStartWith(stage.janus.discord.authorizeUrl);
});

browserTest("a prefetch spends no code, and the member's own request finishes the flow", async (stage) => {
  const { logLines, url } = stage.janus;
  const rules = (kind: string, address: string) =>
    `<script type=speculationrules>{"${kind}":[{"urls":["${address}"],"eagerness":"immediate"}]}</script>`;
  const hints = [
    (address: string) => `<link rel=prefetch href="${address}">`,
    (address: string) => rules("prefetch", address),
    (address: string) => rules("prerender", address),
  ];
  for (const hint of hints) {
    const page = await (await stage.member()).newPage();
    await page.goto(`${url}/linked-role`);
    const callback = await approveDiscord(page.url(), USERS.anna.id);
    const from = logLines.length;
    // Of the same site, since a site has no port: the member's cookies are sent along.
    using before = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () =>
        new Response(`${hint(callback)}<a href="${callback.replaceAll("&", "&amp;")}">Go on</a>`, {
          headers: { "content-type": "text/html" },
        }),
    });

    await page.goto(before.url.href);
    while (!logLines.slice(from).some((line) => line.includes('"prefetch_refused"'))) await Bun.sleep(10);
    await press(page, "Go on");
    await signIn(page, "anna");

    await expectHeading(page, en.linked.title);
    await page.context().close();
  }
  // The browser reports the refused requests themselves, in words of its own.
  const others = stage.faults.filter(
    (fault) => !/status of 403|oauth-callback\?.*ERR_(ABORTED|FAILED)/.test(fault),
  );
  expect(others).toEqual([]);
  stage.faults.length = 0;
});

browserTest("a move that is confirmed twice leads to the link that it made", async (stage) => {
  for (const [options, texts, languageName] of [
    [{ viewport: PHONE }, en, "anna"],
    [SWEDISH_PHONE, sv, "bo"],
  ] as const) {
    const context = await stage.member(options);
    const page = await context.newPage();
    for (const account of [ANNA, "bo_d"]) {
      await page.goto(`${stage.janus.url}/linked-role`);
      await approve(page, account);
      if (account === ANNA) await signIn(page, languageName);
      else await page.getByRole("button", { name: "Continue as" }).click();
    }
    await expectHeading(page, texts.conflict.title);
    const kept = await context.cookies();
    const form = await page.locator("input[name=state]").inputValue();
    await press(page, texts.buttons.move);
    await expectHeading(page, texts.linked.title);
    // The answer that made the browser forget the question did not arrive.
    await context.addCookies(kept.filter(({ name }) => name.includes("flow")));
    await page.goto(`${stage.janus.url}/`);
    await page.evaluate((state) => {
      document.body.innerHTML = `<form method="post" action="/link/move"><input name="state" value="${state}"><button>Again</button></form>`;
    }, form);
    await page.getByRole("button", { name: "Again" }).click();

    await expectPage(page, "finished", texts.errors.flow_finished.title);
    await press(page, texts.buttons.toAccount);
    expect(await page.locator("main").textContent()).toContain("@bo_d");
    await context.close();
  }
});

browserTest("the keyboard alone reaches the success page and the role", async (stage) => {
  const page = await (await stage.member()).newPage();
  await page.goto(`${stage.janus.discord.url}/app`);
  await tabTo(page, "Linked Roles: verify");
  await enter(page);
  await tabTo(page, `Authorize as ${ANNA}`);
  await enter(page);
  await tabTo(page, "Username");
  await page.keyboard.type("anna");
  await page.keyboard.press("Tab");
  await page.keyboard.type("demo");
  await enter(page);
  await expectHeading(page, en.linked.title);
  await tabTo(page, en.buttons.backToDiscord);
  expect(await page.locator(":focus").evaluate((element) => getComputedStyle(element).outlineStyle)).toBe(
    "solid",
  );
  await enter(page);
  await tabTo(page, `Link ${ANNA}`);
  await enter(page);

  expect(stage.janus.discord.hasRole(USERS.anna.id)).toBe(true);
});

const cancel = (page: Page) => page.getByRole("button", { name: "Cancel" }).click();

async function expectHeading(page: Page, title: string): Promise<void> {
  const heading = await page.getByRole("heading", { level: 1 }).textContent();
  expect(heading).toBe(title.replaceAll("{platform}", PLATFORM));
}

/** Expects the page with this heading, accessible and without a script. */
async function expectPage(page: Page, name: string, title: string): Promise<void> {
  await expectHeading(page, title);
  await photograph(page, `janus-${name}`);
  const { scripts, overflow } = await page.evaluate(() => ({
    scripts: document.querySelectorAll("script, [onclick], [onload], a[href^='javascript:']").length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  expect({ scripts, overflow }).toEqual({ scripts: 0, overflow: 0 });
  expect(await findBarriers(page)).toEqual([]);
}

/** Presses Tab until the element of this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const target = page
    .getByRole("link", { name })
    .or(page.getByRole("button", { name }))
    .or(page.getByLabel(name));
  const element = await target.first().elementHandle();
  for (let presses = 0; presses < 20; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement === wanted, element)) return;
  }
  throw new Error(`Tab does not reach ${name}`);
}

async function enter(page: Page): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}
