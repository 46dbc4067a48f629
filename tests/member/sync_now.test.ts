/** Sync now: it reads the claims again, tells Discord, and says honestly what is so. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createBudget } from "../../lib/oauth/budget.ts";
import { sayPlain, TEXTS } from "../../lib/pages/texts/languages.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { syncNow } from "../../lib/sync/sync_now.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { MEMBER_RECORD, writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf, organisationTokenOf, setOfLink } from "../harness/rows.ts";
import { countOf } from "../harness/seen.ts";
import { callApi } from "../harness/sign_in.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const RULES = MEMBER_RECORD;

const folder = useFolder("sync_now");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);
beforeEach(async () => {
  janus.provider.reset();
  // No pause is left of an outage of an earlier test.
  janus.clock.advance(7_300);
  for (const table of ["link", "brake"]) await database.rows(`delete from ${table}`);
});

const identityOf = (user: string, groups: readonly string[] = ["members"]) => ({
  sub: `subject-of-${user}`,
  preferred_username: "anna",
  groups,
});

async function link() {
  const user = newUser();
  janus.provider.signInAs(identityOf(user));
  const browser = await linkMember(janus, user);
  janus.clock.advance(5);
  return { user, browser };
}

const says = (user: string, groups: readonly string[]) =>
  janus.provider.setIdentity(identityOf(user, groups));
const heldBy = (user: string) => janus.discord.roleConnection(user)?.metadata;
const sync = (browser: Browser) => callApi(janus, "/api/link/sync", { browser, method: "POST" });

/** What the API answers. */
async function syncByApi(browser: Browser) {
  const answer = await sync(browser);
  const body = (await answer.json()) as Readonly<Record<string, unknown>>;
  return { status: answer.status, result: body.result ?? body.code };
}

async function noticeAfterForm(browser: Browser, language = "en"): Promise<string> {
  const headers = { accept: "text/html", "accept-language": language };
  const answer = await callApi(janus, "/api/link/sync", { browser, method: "POST", headers });
  expect(answer.status).toBe(303);
  browser.jar.keep(new URL(janus.url), answer);
  return textOf(await (await callApi(janus, "/account", { browser, headers })).text()).replaceAll("\n", " ");
}

describe("POST /api/link/sync", () => {
  test("says that all is up to date, and tells Discord again", async () => {
    const { user, browser } = await link();
    const before = countOf(janus, "put_role_connection");

    expect(await syncByApi(browser)).toEqual({ status: 200, result: "up_to_date" });

    expect(countOf(janus, "put_role_connection")).toBe(before + 1);
    expect(heldBy(user)).toEqual({ member: "1" });
  });

  test.each([
    ["lost", ["members"], [], { member: "0" }],
    ["gained", [], ["members"], { member: "1" }],
  ] as const)("reads the claims again, and tells Discord what was %s", async (_, before, now, held) => {
    const { user, browser } = await link();
    says(user, before);
    await sync(browser);
    janus.clock.advance(61);
    says(user, now);

    const said = await syncByApi(browser);

    expect(said).toEqual({ status: 200, result: "changed" });
    expect(heldBy(user)).toEqual(held);
    expect(await linkOf(janus, user)).toMatchObject({
      pushDueAt: null,
      lossDueAt: null,
      checkLeasedUntil: null,
    });
  });

  test("says that a loss is held, and takes nothing", async () => {
    const { user, browser } = await link();
    says(user, []);
    await database.rows(
      `insert into brake (held_at, looked_at) values ('${janus.clock.now().toISOString()}', '${janus.clock.now().toISOString()}')`,
    );

    expect(await syncByApi(browser)).toEqual({ status: 200, result: "held" });

    expect(heldBy(user)).toEqual({ member: "1" });
    expect(await linkOf(janus, user)).toMatchObject({ lossFoundAt: expect.any(Date) });
  });

  test("says that the provider does not answer, and spends no other token while it is so", async () => {
    const { user, browser } = await link();
    says(user, []);
    janus.provider.failNext("token_refresh", { status: 503, body: "" });
    const first = await syncByApi(browser);
    const sent = janus.provider.sentRefreshTokens.length;
    janus.clock.advance(61);
    const second = await syncByApi(browser);

    expect([first, second]).toEqual([
      { status: 200, result: "provider_silent" },
      { status: 200, result: "provider_silent" },
    ]);
    expect(janus.provider.sentRefreshTokens).toHaveLength(sent);
    expect(heldBy(user)).toEqual({ member: "1" });
  });

  test("waits a while for the provider, whose late answer still counts", async () => {
    const { user } = await link();
    says(user, []);
    const refresh = janus.provider.gate("token_refresh", "answer");
    const hurried = { ...janus.request(), budget: createBudget(100) };
    const said = await syncNow(hurried, { discordUserId: user });
    await refresh.arrived;
    const during = heldBy(user);
    refresh.release();
    const isStored = async () =>
      (await organisationTokenOf(janus, identityOf(user).sub))?.refreshUnansweredSince === null &&
      (await linkOf(janus, user))?.checkLeasedUntil === null;
    while (!(await isStored())) await new Promise((resolve) => setImmediate(resolve));
    janus.clock.advance(31);
    await runUpkeep(janus.deps);

    expect(said).toBe("provider_silent");
    expect(during).toEqual({ member: "1" });
    expect(heldBy(user)).toEqual({ member: "0" });
  });

  test("says that only a sign-in helps if the provider has ended the grant", async () => {
    const { user, browser } = await link();
    janus.provider.setDisabled(identityOf(user).sub, true);

    expect(await syncByApi(browser)).toEqual({ status: 200, result: "sign_in" });

    expect(await organisationTokenOf(janus, identityOf(user).sub)).toMatchObject({
      endCause: "invalid_grant",
    });
    expect(heldBy(user)).toEqual({ member: "1" });
  });

  test("says that the claims cannot be read if no token reads them", async () => {
    const { user, browser } = await link();
    await setOfLink(janus, "organisation_token", "refresh_token_sealed = null, expires_at = null", user);

    expect(await syncByApi(browser)).toEqual({ status: 200, result: "not_readable" });
  });

  test("answers with grant_ended if Discord has ended the grant", async () => {
    const { user, browser } = await link();
    janus.clock.advance(3_700);
    janus.discord.endGrant(user);

    expect(await syncByApi(browser)).toEqual({ status: 403, result: "grant_ended" });
  });

  test("checks no other member's link, however long that is due", async () => {
    const other = await link();
    const { browser } = await link();
    await setOfLink(janus, "link", "check_due_at = linked_at - interval '1 year'", other.user);
    const before = janus.provider.sentRefreshTokens.length;

    await sync(browser);

    expect(janus.provider.sentRefreshTokens).toHaveLength(before + 1);
    const { checkDueAt } = (await linkOf(janus, other.user)) ?? {};
    expect((checkDueAt as Date).getTime()).toBeLessThan(janus.clock.now().getTime());
  });
});

describe("the form of the member's page", () => {
  test.each([...LANGUAGES])("says what is so, in %s", async (language) => {
    const notices = TEXTS[language].notices;
    const said: [string, string][] = [];
    const note = async (browser: Browser, expected: keyof typeof notices): Promise<void> => {
      said.push([
        await noticeAfterForm(browser, language),
        sayPlain(notices[expected], janus.config.platformName),
      ]);
      janus.clock.advance(61);
    };

    const { user, browser } = await link();
    await note(browser, "synced");
    says(user, []);
    await note(browser, "sync_changed");
    says(user, ["members"]);
    janus.discord.failNext("put_role_connection", { status: 503 }, 3);
    await note(browser, "sync_failed");
    await sync(browser);
    janus.clock.advance(61);
    says(user, []);
    const at = janus.clock.now().toISOString();
    await database.rows(`insert into brake (held_at, looked_at) values ('${at}', '${at}')`);
    await note(browser, "sync_held");
    await database.rows("delete from brake");
    says(user, ["members"]);
    await note(browser, "synced");
    janus.provider.failNext("token_refresh", { status: 503, headers: { "retry-after": "60" }, body: "" });
    await note(browser, "sync_provider_silent");
    janus.clock.advance(7_300);
    janus.provider.setDisabled(identityOf(user).sub, true);
    await note(browser, "sync_sign_in");

    for (const [page, notice] of said) expect(page).toContain(notice);
  });
});
