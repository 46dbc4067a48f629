/**
 * What a member meets who loads a page again, goes back, comes late or has two tabs open, in a real browser: on a desktop, and
 * on a phone that runs no script. SCREENSHOTS=<folder> keeps a picture of every page.
 */
import { expect, test } from "bun:test";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { FLOW_TTL_SECONDS } from "../../lib/flow/record.ts";
import type { Texts } from "../../lib/pages/texts/en.ts";
import { en } from "../../lib/pages/texts/en.ts";
import { sv } from "../../lib/pages/texts/sv.ts";
import { findBarriers, PHONE, photograph } from "../harness/chromium.ts";
import { USERS } from "../harness/janus.ts";
import { approve, createTheatre, press, signIn } from "../harness/stage.ts";

const ANNA = "Anna on Discord";
const PLATFORM = "D-sektionen";
const UNAVAILABLE = { status: 503, body: { message: "503: Service Unavailable", code: 0 } };
const { isSkipped, setStage } = createTheatre("The browser tests of results");

type Stage = Awaited<ReturnType<typeof setStage>>;

/** One member's browser, and what it says. */
type Visitor = {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly texts: Texts;
  readonly runsScript: boolean;
};

const DEVICES: readonly (readonly [string, BrowserContextOptions, Texts])[] = [
  ["a desktop", {}, en],
  [
    "a phone without script",
    { locale: "sv-SE", viewport: PHONE, colorScheme: "dark", javaScriptEnabled: false },
    sv,
  ],
];

/** The same walk on each device. */
function walkTest(name: string, walk: (stage: Stage, visitor: Visitor) => Promise<void>): void {
  for (const [device, options, texts] of DEVICES)
    test.skipIf(isSkipped)(`${name}, on ${device}`, async () => {
      const stage = await setStage();
      try {
        const context = await stage.member(options);
        const runsScript = options.javaScriptEnabled !== false;
        await walk(stage, { page: await context.newPage(), context, texts, runsScript });
        expect(stage.faults).toEqual([]);
        expect([...stage.janus.discord.unexpected, ...stage.janus.provider.unexpected]).toEqual([]);
      } finally {
        await stage.strike();
      }
    });
}

walkTest("the success page stays when it is loaded again or gone back to", async (stage, visitor) => {
  const { page, texts } = visitor;
  await link(stage, page);
  await expectSame(stage, page, texts.linked.title);

  await expectPage(visitor, "linked-again", texts.linked.title);
  expect(await mainText(page)).toContain("@anna_d");
  await press(page, texts.buttons.toAccount);
  expect(page.url()).toBe(`${stage.janus.url}/account`);
});

walkTest("the question and the page of a move stay", async (stage, visitor) => {
  const { page, texts } = visitor;
  await reachQuestion(stage, page, texts);
  await expectSame(stage, page, texts.conflict.title);
  expect(await mainText(page)).toContain("@bo_d");
  await press(page, texts.buttons.move);
  await expectSame(stage, page, texts.linked.title);

  await expectPage(visitor, "moved-again", texts.linked.title);
  expect(await mainText(page)).toContain("@bo_d");
  expect(stage.janus.discord.roleConnection(USERS.bo.id)?.platform_username).toBe("anna");
  // What was asked is answered: no way back leads to the question.
  await page.goBack();
  await expectHeading(page, texts.linked.title);
});

walkTest("a question that is left says so, and asks no more", async (stage, visitor) => {
  const { page, texts } = visitor;
  await reachQuestion(stage, page, texts);
  await press(page, texts.buttons.leave);
  await expectSame(stage, page, texts.kept.title);

  await expectPage(visitor, "kept", texts.kept.title);
  expect(await page.getByRole("link", { name: texts.buttons.linkAccount }).count()).toBe(0);
  await page.goBack();
  await expectHeading(page, texts.kept.title);
  expect(stage.janus.discord.roleConnection(USERS.bo.id)).toBeUndefined();
  expect(stage.janus.discord.matches(USERS.anna.id)).toBe(true);
  await press(page, texts.buttons.toAccount);
  expect(await mainText(page)).toContain("@anna_d");
});

walkTest("a question that is left too late says so, too", async (stage, { page, texts }) => {
  await reachQuestion(stage, page, texts);
  stage.janus.clock.advance(FLOW_TTL_SECONDS + 1);
  await press(page, texts.buttons.leave);

  await expectHeading(page, texts.kept.title);
});

walkTest("a question that is answered or loaded again too late says why", async (stage, visitor) => {
  const { page, texts } = visitor;
  await reachQuestion(stage, page, texts);
  await wait(stage, page, FLOW_TTL_SECONDS + 1);
  await page.reload();
  await expectPage(visitor, "question-too-late", texts.errors.flow_expired.title);
  await page.reload();

  await expectHeading(page, texts.errors.flow_expired.title);
  expect(stage.janus.discord.matches(USERS.anna.id)).toBe(true);
});

walkTest("a cancelled sign-in stays, with the request to quote", async (stage, visitor) => {
  const { page, texts } = visitor;
  await page.goto(`${stage.janus.url}/linked-role/another`);
  await cancel(page);
  await expectSame(stage, page, texts.cancelled.discordTitle);
  await press(page, texts.buttons.tryAgain);
  await approve(page, ANNA);
  await cancel(page);
  await expectHeading(page, texts.cancelled.providerTitle);
  const quoted = await page.locator(".request code").textContent();
  await expectSame(stage, page, texts.cancelled.providerTitle);

  await expectPage(visitor, "cancelled-again", texts.cancelled.providerTitle);
  expect(await page.locator(".request code").textContent()).toBe(quoted);
  const lines = stage.janus.logLines.filter((line) => line.includes(`"requestId":"${quoted}"`));
  expect(lines.join("")).toContain('"outcome":"cancelled"');
});

walkTest("an unlink stays, and no earlier page says that there is a link", async (stage, visitor) => {
  const { page, texts } = visitor;
  await linkAndOpenAccount(stage, page, texts);
  await press(page, texts.buttons.unlink);
  await press(page, texts.buttons.confirmUnlink);
  await expectSame(stage, page, texts.unlinked.title);
  await expectPage(visitor, "unlinked-again", texts.unlinked.title);

  const seen: string[] = [];
  for (let back = 0; back < 3; back += 1) {
    await page.goBack();
    seen.push(await heading(page));
  }
  expect(seen).not.toContain(texts.linked.title);
  expect(seen).toContain(texts.signIn.title);
});

walkTest("a sign-out stays, and asks nobody to begin again", async (stage, visitor) => {
  const { page, context, texts } = visitor;
  await linkAndOpenAccount(stage, page, texts);
  await press(page, texts.buttons.signOut);
  await expectSame(stage, page, texts.signedOut.title);

  await expectPage(visitor, "signed-out", texts.signedOut.title);
  expect(await page.getByRole("link", { name: texts.buttons.linkAccount }).count()).toBe(0);
  expect(
    (await context.cookies()).map(({ name }) => name).filter((name) => name.startsWith("session")),
  ).toEqual([]);
  await page.goBack();
  await page.goBack();
  expect(await mainText(page)).not.toContain("@anna_d");
});

walkTest("a notice is said once, by title and focus, and by no address", async (stage, visitor) => {
  const { page, texts } = visitor;
  await linkAndOpenAccount(stage, page, texts);
  const notice = page.getByRole("status");
  for (const invented of Object.keys(texts.notices)) {
    await page.goto(`${stage.janus.url}/account?notice=${invented}`);
    expect(await notice.count()).toBe(0);
  }
  await press(page, texts.buttons.sync);

  await expectPage(visitor, "notice", texts.account.title);
  expect(page.url()).toBe(`${stage.janus.url}/account`);
  expect(await notice.textContent()).toBe(texts.notices.synced);
  expect(await page.title()).toStartWith(texts.notices.synced);
  expect(await notice.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.reload();
  expect(await notice.count()).toBe(0);
  expect(await page.title()).not.toContain(texts.notices.synced);
});

walkTest("each form of the account page has its own notice", async (stage, { page, texts }) => {
  const { clock, discord } = stage.janus;
  await linkAndOpenAccount(stage, page, texts);
  const said: (string | null)[] = [];
  const pressAndRead = async (button: string) => {
    await press(page, button);
    said.push(await page.getByRole("status").textContent());
  };
  await pressAndRead(texts.buttons.sync);
  await pressAndRead(texts.buttons.sync);
  clock.advance(61);
  discord.failNext("put_role_connection", UNAVAILABLE, 3);
  await pressAndRead(texts.buttons.sync);

  const { synced, sync_too_soon: tooSoon, sync_failed: failed } = texts.notices;
  expect(said).toEqual([synced, tooSoon, failed]);
});

walkTest("a member who comes back late reads that it took too long", async (stage, visitor) => {
  const { page, texts } = visitor;
  for (const leg of ["Discord", "the provider"]) {
    await page.goto(`${stage.janus.url}/linked-role`);
    if (leg === "the provider") await approve(page, ANNA);
    await wait(stage, page, FLOW_TTL_SECONDS + 1);
    if (leg === "Discord") await approve(page, ANNA);
    else await signIn(page, "anna");
    await expectPage(visitor, "too-late", texts.errors.flow_expired.title);
    await page.reload();
    await expectHeading(page, texts.errors.flow_expired.title);
    await press(page, texts.buttons.startAgain);
    expect(page.url()).toStartWith(stage.janus.discord.authorizeUrl);
  }
});

walkTest("two tabs at once each keep their own page", async (stage, { page: first, context, texts }) => {
  const second = await context.newPage();
  for (const page of [first, second]) await page.goto(`${stage.janus.url}/linked-role`);
  await approve(first, ANNA);
  await approve(second, "bo_d");
  await signIn(first, "anna");
  await signIn(second, "bo");
  for (const page of [first, second]) await expectSame(stage, page, texts.linked.title);

  expect(await mainText(first)).toContain("@anna_d");
  expect(await mainText(second)).toContain("@bo_d");
});

walkTest(
  "a link that moves makes an earlier page of it go",
  async (stage, { page: first, context, texts }) => {
    await link(stage, first);
    await expectHeading(first, texts.linked.title);
    const second = await context.newPage();
    await second.goto(`${stage.janus.url}/linked-role`);
    await approve(second, "bo_d");
    await second.getByRole("button", { name: "Continue as" }).click();
    await press(second, texts.buttons.move);
    await expectHeading(second, texts.linked.title);

    await first.reload();

    expect(first.url()).toBe(`${stage.janus.url}/account`);
    expect(await mainText(first)).toContain("@bo_d");
  },
);

walkTest("the start page knows a member who is signed in", async (stage, visitor) => {
  const { page, texts } = visitor;
  await page.goto(`${stage.janus.url}/`);
  await expectHeading(page, texts.home.title);
  await link(stage, page);
  await page.goto(`${stage.janus.url}/`);

  await expectPage(visitor, "welcome", texts.welcome.title);
  expect(await mainText(page)).toContain(`${ANNA} (@anna_d)`);
  await press(page, texts.buttons.toAccount);
  await expectHeading(page, texts.account.title);
  await page.goBack();
  await press(page, texts.buttons.useAnother);
  await expectHeading(page, texts.another.title);
});

async function link({ janus }: Stage, page: Page): Promise<void> {
  await page.goto(`${janus.url}/linked-role`);
  await approve(page, ANNA);
  await signIn(page, "anna");
}

async function linkAndOpenAccount(stage: Stage, page: Page, texts: Texts): Promise<void> {
  await link(stage, page);
  await press(page, texts.buttons.toAccount);
  await expectHeading(page, texts.account.title);
}

/** To the question whether bo_d takes over the link of anna_d. */
async function reachQuestion(stage: Stage, page: Page, texts: Texts): Promise<void> {
  await link(stage, page);
  await page.goto(`${stage.janus.url}/linked-role`);
  await approve(page, "bo_d");
  await page.getByRole("button", { name: "Continue as" }).click();
  await expectHeading(page, texts.conflict.title);
}

const cancel = (page: Page) => page.getByRole("button", { name: "Cancel" }).click();

/**
 * Lets time pass at Janus and for the browser's cookies. The browser has a clock of its own, so what it would have forgotten
 * by then is taken from it.
 */
async function wait({ janus }: Stage, page: Page, seconds: number): Promise<void> {
  const context = page.context();
  const now = Date.now() / 1_000;
  for (const { name, expires, domain, path } of await context.cookies())
    if (expires >= 0 && expires <= now + seconds) await context.clearCookies({ name, domain, path });
  janus.clock.advance(seconds);
}

const mainText = async (page: Page): Promise<string> => (await page.locator("main").textContent()) ?? "";

const heading = async (page: Page): Promise<string> =>
  (await page.getByRole("heading", { level: 1 }).textContent()) ?? "";

const expectHeading = async (page: Page, title: string): Promise<void> =>
  expect(await heading(page)).toBe(title.replaceAll("{platform}", PLATFORM));

/** Expects the page with this heading now, after a reload, and after a way there and back; and an address that says nothing. */
async function expectSame({ janus }: Stage, page: Page, title: string): Promise<void> {
  await expectHeading(page, title);
  const first = await mainText(page);
  expect(page.url()).toMatch(new RegExp(`^${janus.url}/result/[\\w-]{16}$`));
  await page.reload();
  await expectHeading(page, title);
  expect(await mainText(page)).toBe(first);
  await page.goto(`${janus.discord.url}/app`);
  await page.goBack();
  await expectHeading(page, title);
  expect(await mainText(page)).toBe(first);
}

/** Expects the page with this heading. Only a browser that runs scripts can tell whether it is accessible. */
async function expectPage({ page, runsScript }: Visitor, name: string, title: string): Promise<void> {
  await expectHeading(page, title);
  await photograph(page, `janus-${name}`);
  if (runsScript) expect(await findBarriers(page)).toEqual([]);
}
