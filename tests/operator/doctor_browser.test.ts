/**
 * The page at the end of `janus doctor --login` in a real browser: a provider that says hostile things, on a phone, in light
 * and dark, by keyboard alone. SCREENSHOTS=<folder> keeps pictures of it.
 */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { issueToken } from "../../lib/operator/doctor/token.ts";
import { recordOf } from "../fixtures/rules.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { PHONE, photograph, survey } from "../harness/chromium.ts";
import { useFolder } from "../harness/hooks.ts";
import { createTheatre, signIn } from "../harness/stage.ts";

const { isSkipped, setStage } = createTheatre("The browser tests of janus doctor --login");
const folder = useFolder("doctor-browser");

const LONG = "W".repeat(1_999);
/** What a provider may say: markup, letters that go the other way, and names without a place to break. */
const HOSTILE = {
  preferred_username: "<script>document.title = 'ran'</script>",
  [`claim-${LONG}`]: LONG,
  "\u202eclaim": { "<img src=x>": ["\u05d0".repeat(300)] },
  ...Object.fromEntries(Array.from({ length: 220 }, (_, index) => [`z${index}`, index])),
};
const SOURCE = '[[source]]\nname = "graph"\nurl = "https://graph.example.org/me"\n';
const RULES = [
  `platform_username = 'claims.preferred_username'\n${SOURCE}`,
  recordOf(`claims["claim-${LONG}"] == "${LONG.slice(0, 1_000)}"`, "boolean_equal", "k".repeat(50)),
  recordOf("claims.preferred_username", "integer_equal", "number"),
  recordOf("discord.created_at", "datetime_less_than_or_equal", "since"),
  recordOf("sources.graph == {}", "boolean_equal", "graph"),
].join("");

/** Answers as the provider does, but for UserInfo and the source. */
const askHostile = async (address: string, init: RequestInit): Promise<Response> => {
  if (address.startsWith("https://graph.example.org")) return Response.json({ value: [`${LONG}</code>`] });
  const answer = await fetch(address, init);
  if (!new URL(address).pathname.endsWith("/me") || !answer.ok) return answer;
  return Response.json({ ...(await answer.json()), ...HOSTILE });
};

/** Signs in with a ticket, as the operator whom the command has sent there. */
async function examine(page: Page, janus: Awaited<ReturnType<typeof setStage>>["janus"]): Promise<void> {
  const ticket = issueToken(janus.config, "login", janus.clock.now()).text;
  await page.goto(`${janus.url}/doctor?${new URLSearchParams({ ticket })}`);
  await signIn(page, "anna");
}

test.skipIf(isSkipped)("the page of janus doctor --login keeps nobody out, whatever claims say", async () => {
  const stage = await setStage({ fetch: askHostile, environment: await writeRules(folder, RULES) });
  try {
    const page = await (await stage.member({ viewport: PHONE })).newPage();
    await examine(page, stage.janus);
    expect(await page.locator("h1").textContent()).toBe("What the provider says of you");
    expect(await page.title()).not.toBe("ran");
    expect(await page.locator("main img, main script").count()).toBe(0);
    // Values are hidden until somebody asks for them.
    expect(await page.getByText("document.title").count()).toBe(2);
    expect(await page.getByText("document.title").last().isVisible()).toBe(false);
    expect(await survey(page, [PHONE])).toEqual([]);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    expect(await survey(page, [PHONE])).toEqual([]);
    expect(stage.faults).toEqual([]);
  } finally {
    await stage.strike();
  }
});

test.skipIf(isSkipped)("the page of janus doctor --login shows a value to a keyboard", async () => {
  const stage = await setStage();
  try {
    const page = await (await stage.member()).newPage();
    await examine(page, stage.janus);
    const value = page.locator("details").first();
    expect(await value.locator("code").isVisible()).toBe(false);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");

    await photograph(page, "doctor");
    expect(await value.locator("code").isVisible()).toBe(true);
    expect(stage.faults).toEqual([]);
  } finally {
    await stage.strike();
  }
});
