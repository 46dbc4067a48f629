/**
 * What keeps the link true, as a member sees it in a real browser: every state in every language, for everybody and on a
 * narrow phone; and the way from a grant that the provider has ended back to the role. One server and one link for all.
 * SCREENSHOTS=<folder> keeps a picture of every page: desktop and phone, light and dark.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { Texts } from "../../lib/pages/texts/en.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { PHONE, photograph, survey } from "../harness/chromium.ts";
import { USERS } from "../harness/janus.ts";
import { setOfLink } from "../harness/rows.ts";
import { approve, createTheatre, press, signIn } from "../harness/stage.ts";

const ANNA = "Anna on Discord";
const ANNA_ID = USERS.anna.id;
const PLATFORM = "D-sektionen";

const { isSkipped, setStage } = createTheatre("The browser tests of what keeps a link true");

type Stage = Awaited<ReturnType<typeof setStage>>;

const AS_CHECKED = {
  link: `check_failures = 0, check_failed_code = null, cleared_at = null, clear_cause = null,
    loss_found_at = null, loss_due_at = null, disconnected_at = null, token_refused_at = null`,
  organisation_token: "ended_at = null, end_cause = null",
} as const;
const ENDED_LONG_AGO = "ended_at = now() - interval '8 days', end_cause = 'invalid_grant'";

/** Each state, and a sentence that only it has. */
const STATES = {
  checked: { changes: {}, sentence: ({ role }) => role.knows },
  failing: {
    changes: { link: "check_failures = 2, check_failed_code = 'provider_unavailable'" },
    sentence: ({ checks }) => checks.failing,
  },
  "failing-here": {
    changes: { link: "check_failures = 2, check_failed_code = 'token_unreadable'" },
    sentence: ({ checks }) => checks.failingHere,
  },
  "not-readable": {
    changes: { organisation_token: "ended_at = now(), end_cause = 'unanswered'" },
    sentence: ({ checks }) => checks.notReadable,
  },
  grace: {
    changes: { organisation_token: "ended_at = now(), end_cause = 'invalid_grant'" },
    sentence: ({ checks }) => checks.graceUntil,
  },
  "grace-over": {
    changes: { organisation_token: ENDED_LONG_AGO },
    sentence: ({ checks }) => checks.graceOver,
  },
  ended: {
    changes: { organisation_token: ENDED_LONG_AGO, link: "cleared_at = now(), clear_cause = 'grant_ended'" },
    sentence: ({ checks }) => checks.endedNow,
  },
  held: {
    changes: { link: "loss_found_at = now(), loss_due_at = now() + interval '1 hour'" },
    sentence: ({ checks }) => checks.held,
  },
  disconnected: {
    changes: { link: "disconnected_at = now()" },
    sentence: ({ checks }) => checks.disconnected,
  },
  "discord-ended": {
    changes: { link: "token_refused_at = now()" },
    sentence: ({ checks }) => checks.discordEnded,
  },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly changes: Readonly<Partial<Record<keyof typeof AS_CHECKED, string>>>;
      readonly sentence: (texts: Texts) => string;
    }
  >
>;

describe("every state of a link", () => {
  let stage: Stage;
  beforeAll(async () => {
    if (isSkipped) return;
    stage = await setStage();
    await link(stage, await (await stage.member()).newPage());
  });
  afterAll(async () => {
    await stage?.strike();
  });

  test.skipIf(isSkipped).each([...LANGUAGES])(
    "keeps nobody out and says what is so, in %s",
    async (language) => {
      const texts = TEXTS[language];
      const page = await (await stage.member({ locale: texts.locale })).newPage();
      await page.goto(`${stage.janus.url}/login`);
      await approve(page, ANNA);
      await page.getByRole("heading", { level: 1, name: texts.account.title }).waitFor();
      // The picture, too: a reload would break it off.
      await page.waitForLoadState("load");
      const sizes = language === "de" ? [] : [PHONE];
      const barriers: string[] = [];

      for (const [name, { changes, sentence }] of Object.entries(STATES)) {
        await enter(stage, name, changes);
        await page.reload();
        await photograph(page, `sync-${name}`);
        const found = await survey(page, sizes);
        barriers.push(...found.map((barrier) => `${name} ${barrier}`));
        expect(await mainText(page)).toContain(sayPart(sentence(texts)));
      }

      expect(barriers).toEqual([]);
      expect(stage.faults).toEqual([]);
    },
  );
});

test.skipIf(isSkipped)("a member clicks from the grace, and from its end, back to the role", async () => {
  const stage = await setStage();
  const { discord, provider, url } = stage.janus;
  const { checks, linked, buttons, role } = TEXTS.en;
  const page = await (await stage.member()).newPage();
  const openAccount = async () => {
    await page.goto(`${url}/account`);
    return mainText(page);
  };
  const signInAgain = async () => {
    await press(page, buttons.signInAgain);
    await approve(page, ANNA);
    await signIn(page, "anna");
    const result = await mainText(page);
    await press(page, buttons.toAccount);
    return [result, await mainText(page)];
  };
  await link(stage, page);

  provider.endGrant("anna");
  await checkNow(stage);
  const grace = await openAccount();
  const duringGrace = discord.matches(ANNA_ID);
  const [afterGrace, checked] = await signInAgain();

  provider.endGrant("anna");
  await checkNow(stage);
  await setOfLink(stage.janus, "organisation_token", "ended_at = ended_at - interval '8 days'", ANNA_ID);
  await checkNow(stage);
  const ended = await openAccount();
  const duringEnd = discord.roleConnection(ANNA_ID);
  const [afterEnd, revived] = await signInAgain();

  expect(grace).toContain(sayPart(checks.graceUntil));
  expect(duringGrace).toBe(true);
  expect(ended).toContain(checks.endedNow);
  expect(duringEnd).toBeUndefined();
  for (const result of [afterGrace, afterEnd]) expect(result).toContain(linked.again);
  for (const account of [checked, revived]) expect(account).toContain(role.knows);
  expect(discord.matches(ANNA_ID)).toBe(true);
  expect(stage.faults).toEqual([]);
  await stage.strike();
});

async function link({ janus }: Stage, page: Page): Promise<void> {
  await page.goto(`${janus.url}/linked-role`);
  await approve(page, ANNA);
  await signIn(page, "anna");
}

/** Puts the link into a state. Nothing is left of the one before. */
async function enter(
  { janus }: Stage,
  name: string,
  changes: Readonly<Partial<Record<keyof typeof AS_CHECKED, string>>>,
): Promise<void> {
  for (const table of ["link", "organisation_token"] as const)
    await setOfLink(janus, table, AS_CHECKED[table], ANNA_ID);
  await janus.database.rows("delete from brake");
  for (const table of ["link", "organisation_token"] as const)
    if (changes[table] !== undefined) await setOfLink(janus, table, changes[table], ANNA_ID);
  if (name === "held") await janus.database.rows("insert into brake (held_at) values (now())");
}

/** Rounds of upkeep in which the link is checked. Before a loss is told, a round looks at other links. */
async function checkNow({ janus }: Stage): Promise<void> {
  await setOfLink(janus, "link", "check_due_at = now()", ANNA_ID);
  await runUpkeep(janus.deps);
  await runUpkeep(janus.deps);
}

/** What a page has of a text after its first time, or before it if that is longer. */
function sayPart(text: string): string {
  const parts = text.replaceAll("{platform}", PLATFORM).split("{other}");
  return parts.toSorted((a, b) => b.length - a.length)[0] ?? "";
}

const mainText = async (page: Page): Promise<string> => (await page.locator("main").textContent()) ?? "";
