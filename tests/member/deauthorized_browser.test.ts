/**
 * A member who has removed Janus at Discord, in a real browser: what their page says in each language, for everybody and on
 * a narrow phone, and the way back to the role. SCREENSHOTS=<folder> keeps a picture of every page.
 */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { DISCORD_PUBLIC_KEY, deauthorization, sendEvent } from "../fixtures/discord_events.ts";
import { PHONE, photograph, survey } from "../harness/chromium.ts";
import { USERS } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { approve, createTheatre, press, signIn } from "../harness/stage.ts";

const ANNA = "Anna on Discord";
const ANNA_ID = USERS.anna.id;

const { isSkipped, setStage } = createTheatre("The browser tests of a removed app");

const mainText = async (page: Page): Promise<string> => (await page.locator("main").textContent()) ?? "";
/** A sentence up to its first place for a name or a time. */
const beginningOf = (sentence: string): string =>
  sentence.replace("{platform}", "D-sektionen").split("{")[0] ?? "";

test.skipIf(isSkipped)(
  "a member who has removed Janus at Discord reads so, and clicks back to the role",
  async () => {
    const stage = await setStage({ environment: { DISCORD_PUBLIC_KEY } });
    const { janus } = stage;
    const page = await (await stage.member()).newPage();
    await page.goto(`${janus.url}/linked-role`);
    await approve(page, ANNA);
    await signIn(page, "anna");
    expect(janus.discord.matches(ANNA_ID)).toBe(true);

    janus.discord.endGrant(ANNA_ID);
    const told = await sendEvent(janus, deauthorization(ANNA_ID, janus.clock.now()));
    await runUpkeep(janus.deps);
    expect(told.status).toBe(204);
    await page.goto(`${janus.url}/account`);
    const signedOut = await mainText(page);

    const barriers: string[] = [];
    for (const language of LANGUAGES) {
      const texts = TEXTS[language];
      const other = await (await stage.member({ locale: texts.locale })).newPage();
      await other.goto(`${janus.url}/login`);
      await approve(other, ANNA);
      await other.getByRole("heading", { level: 1, name: texts.account.title }).waitFor();
      await other.waitForLoadState("load");
      await photograph(other, `deauthorized-${language}`);
      const found = await survey(other, language === "de" ? [] : [PHONE]);
      barriers.push(...found.map((barrier) => `${language} ${barrier}`));
      const text = await mainText(other);
      expect(text).toContain(beginningOf(texts.checks.deauthorized));
      expect(text).toContain(texts.checks.deauthorizedNow);
    }

    const { buttons, checks, linked, role } = TEXTS.en;
    await page.goto(`${janus.url}/login`);
    await approve(page, ANNA);
    await press(page, buttons.signInAgain);
    await approve(page, ANNA);
    await press(page, "Continue as Anna Andersson");
    const result = await mainText(page);
    await press(page, buttons.toAccount);
    const account = await mainText(page);

    expect(signedOut).not.toContain(checks.last.split("{")[0] ?? "");
    expect(barriers).toEqual([]);
    expect(result).toContain(linked.again);
    expect(account).toContain(role.knows);
    expect(janus.discord.matches(ANNA_ID)).toBe(true);
    expect(await linkOf(janus, ANNA_ID)).toMatchObject({ pushFailures: 0 });
    expect(stage.faults).toEqual([]);
    await stage.strike();
  },
);
