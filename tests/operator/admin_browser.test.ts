/**
 * The page of administrators in a real browser: an administrator, a member who is none, and one whose claim was taken away
 * meanwhile; on a phone and a desktop, in light and dark, in each language, without a script, and against forms of another
 * origin. SCREENSHOTS=<folder> keeps a picture of every page.
 */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { checkMember } from "../../lib/sync/check_round.ts";
import { ADMIN_RULES } from "../fixtures/admin.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { PHONE, photograph, survey, tabTo } from "../harness/chromium.ts";
import { useFolder } from "../harness/hooks.ts";
import { USERS } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { approve, createTheatre, press, signIn } from "../harness/stage.ts";

const { isSkipped, setStage } = createTheatre("The browser tests of the page of administrators");
const folder = useFolder("admin-browser");
const ADMIN = TEXTS.en.admin;
const BO = USERS.bo.id;

type Stage = Awaited<ReturnType<typeof setStage>>;

const openStage = async () => setStage({ environment: await writeRules(folder, ADMIN_RULES) });
const mainText = async (page: Page): Promise<string> => (await page.locator("main").textContent()) ?? "";
const expectPage = (page: Page, title: string): Promise<void> =>
  page.getByRole("heading", { level: 1, name: title }).waitFor();

/** Links a member in a browser of their own, and leaves it at the last page. */
async function link(stage: Stage, discordName: string, login: string): Promise<Page> {
  const page = await (await stage.member()).newPage();
  await page.goto(`${stage.janus.url}/linked-role`);
  await approve(page, discordName);
  await signIn(page, login);
  await expectPage(page, TEXTS.en.linked.title);
  return page;
}

/** Signs somebody in as an administrator, whoever they are. */
async function enter(stage: Stage, login: string, locale = "en-GB"): Promise<Page> {
  const page = await (await stage.member({ locale })).newPage();
  await page.goto(`${stage.janus.url}/admin`);
  await page
    .getByRole("link", { name: /D-sektionen/ })
    .first()
    .click();
  await signIn(page, login);
  return page;
}

/** Looks at the page: takes a picture of it, and collects what keeps somebody out, also on a phone. */
function createLook(page: Page) {
  const barriers: string[] = [];
  const look = async (name: string): Promise<void> => {
    await photograph(page, `admin-${name}`);
    barriers.push(...(await survey(page, [PHONE])).map((barrier) => `${name} ${barrier}`));
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  return { look, barriers };
}

test.skipIf(isSkipped)("an administrator finds a member, sees why, and unlinks them", async () => {
  const stage = await openStage();
  const member = await link(stage, "bo_d", "bo");
  const page = await enter(stage, "anna");
  const { look, barriers } = createLook(page);

  await expectPage(page, ADMIN.title);
  await look("overview");
  await page.getByLabel(ADMIN.search).fill("BO");
  await press(page, ADMIN.searchButton);
  await expectPage(page, ADMIN.listTitle);
  await look("list");
  await page.getByRole("link", { name: /bo_d/ }).click();
  await page.getByRole("heading", { level: 2, name: ADMIN.whyTitle }).waitFor();
  expect(await mainText(page)).toContain('"members" in claims.groups');
  await look("member");
  await press(page, ADMIN.sync);
  await page.getByRole("status").waitFor();
  expect(await page.getByRole("status").textContent()).toBe(ADMIN.notices.synced);
  await press(page, ADMIN.ban);
  await expectPage(page, ADMIN.banQuestion);
  await look("ban");
  await press(page, ADMIN.back);
  await press(page, ADMIN.unlink);
  await expectPage(page, ADMIN.unlinkQuestion);
  await look("unlink");

  await member.goto(`${stage.janus.url}/account`);
  expect(await mainText(member)).toContain("An administrator looked at your link.");
  await photograph(member, "admin-seen");
  barriers.push(...(await survey(member, [PHONE])));

  await page.getByLabel(ADMIN.unlinkReason).fill("left us");
  await tabTo(page, ADMIN.unlink);
  await page.keyboard.press("Enter");
  await expectPage(page, ADMIN.listTitle);
  expect(await page.getByRole("status").textContent()).toBe(ADMIN.notices.unlinked);
  expect(await linkOf(stage.janus, BO)).toBeUndefined();
  await member.goto(`${stage.janus.url}/account`);
  await expectPage(member, TEXTS.en.signIn.title);
  await press(page, ADMIN.signOut);
  await expectPage(page, ADMIN.signInTitle);
  await look("sign-in");

  expect(barriers).toEqual([]);
  expect(stage.faults).toEqual([]);
  await stage.strike();
});

test.skipIf(isSkipped)("an administrator bans a member, and lifts the ban", async () => {
  const stage = await openStage();
  await link(stage, "bo_d", "bo");
  const page = await enter(stage, "anna");
  const { look, barriers } = createLook(page);
  await expectPage(page, ADMIN.title);
  await page.goto(`${stage.janus.url}/admin/links/${BO}/ban`);
  await page.getByLabel(ADMIN.reason).fill("sells roles");
  await tabTo(page, ADMIN.ban);
  await page.keyboard.press("Enter");
  await expectPage(page, ADMIN.listTitle);

  await page.getByRole("navigation").getByRole("link", { name: ADMIN.bansTitle }).click();
  await expectPage(page, ADMIN.bansTitle);
  expect(await page.locator("main").getByRole("listitem").count()).toBe(2);
  expect(await mainText(page)).toContain("sells roles");
  await look("bans");
  for (const account of [BO, /Account/]) {
    await page.getByRole("link", { name: account }).click();
    await expectPage(page, ADMIN.liftQuestion);
    if (account === BO) await look("lift");
    await tabTo(page, ADMIN.lift);
    await page.keyboard.press("Enter");
    await expectPage(page, ADMIN.bansTitle);
    expect(await page.getByRole("status").textContent()).toBe(ADMIN.notices.ban_lifted);
  }
  expect(await mainText(page)).toContain(ADMIN.bansNone);
  await look("no-bans");

  expect(barriers).toEqual([]);
  expect(stage.faults).toEqual([]);
  await stage.strike();
});

test.skipIf(isSkipped)("a member who is no administrator is kept out, and linked as before", async () => {
  const stage = await openStage();
  await link(stage, "bo_d", "bo");
  const before = await stage.janus.database.dump();

  const page = await enter(stage, "bo");

  await expectPage(page, ADMIN.refusedTitle);
  await photograph(page, "admin-refused");
  expect(await survey(page, [PHONE])).toEqual([]);
  await page.goto(`${stage.janus.url}/admin/links/${BO}`);
  await expectPage(page, ADMIN.signInTitle);
  expect(await stage.janus.database.dump()).toBe(before);
  await stage.strike();
});

test.skipIf(isSkipped)(
  "an administrator whose claim was taken away is kept out at the next request",
  async () => {
    const stage = await openStage();
    const { janus } = stage;
    await link(stage, "Anna on Discord", "anna");
    const page = await enter(stage, "anna");
    await expectPage(page, ADMIN.title);

    janus.clock.advance(60);
    janus.provider.setUser("anna", { groups: ["members"] });
    await page.goto(`${janus.url}/admin/links`);
    await expectPage(page, ADMIN.listTitle);
    const checked = await checkMember(janus.deps, USERS.anna.id);
    expect(checked?.outcome).toBe("read");

    await page.goto(`${janus.url}/admin/links`);
    await expectPage(page, ADMIN.refusedTitle);
    await page.goto(`${janus.url}/admin`);
    await expectPage(page, ADMIN.signInTitle);
    await stage.strike();
  },
);

test.skipIf(isSkipped)("the pages of administrators speak Swedish and German", async () => {
  const stage = await openStage();
  await link(stage, "bo_d", "bo");
  const barriers: string[] = [];
  for (const [language, locale] of [
    ["sv", "sv-SE"],
    ["de", "de-DE"],
  ] as const) {
    const texts = TEXTS[language].admin;
    const page = await enter(stage, "anna", locale);
    await expectPage(page, texts.title);
    await photograph(page, "admin-overview");
    barriers.push(...(await survey(page, [PHONE])));
    await page.goto(`${stage.janus.url}/admin/links/${BO}`);
    await photograph(page, "admin-member");
    barriers.push(...(await survey(page, [PHONE])));
    expect(await mainText(page)).toContain(texts.whyTitle);
  }
  expect(barriers).toEqual([]);
  expect(stage.faults).toEqual([]);
  await stage.strike();
});

test.skipIf(isSkipped)(
  "forms that another origin sends in an administrator's name change nothing",
  async () => {
    const stage = await openStage();
    const { url, database } = stage.janus;
    await link(stage, "bo_d", "bo");
    const page = await enter(stage, "anna");
    await expectPage(page, ADMIN.title);
    const before = await database.dump();
    const paths = ["/admin/sign-out", "/admin/brake", "/admin/bans/some-ban"].concat(
      ["sync", "sessions", "unlink", "ban"].map((action) => `/admin/links/${BO}/${action}`),
    );
    // The same site, since a site has no port: the cookies are sent along.
    using stranger = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () =>
        new Response(
          `<!doctype html><title>stranger</title>${paths
            .map(
              (path) =>
                `<form method="post" action="${url}${path}"><button name="confirm" value="yes">${path}</button></form>`,
            )
            .join("")}`,
          { headers: { "content-type": "text/html" } },
        ),
    });

    for (const path of paths) {
      await page.goto(String(stranger.url));
      const [response] = await Promise.all([page.waitForNavigation(), press(page, path)]);
      const sent = await response?.request().allHeaders();
      expect({ path, status: response?.status() }).toEqual({ path, status: 403 });
      expect(sent?.cookie).toContain("janus_admin=");
      await expectPage(page, TEXTS.en.errors.origin_refused.title);
    }
    expect(await database.dump()).toBe(before);
    await page.goto(`${url}/admin`);
    await expectPage(page, ADMIN.title);
    await stage.strike();
  },
);
