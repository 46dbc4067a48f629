/** Members whom the rules do not admit: nothing is linked or kept, and a link that exists is left to its next push. */
import { describe, expect, test } from "bun:test";
import postgres from "postgres";
import { createApp } from "../../index.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import {
  discordTokenOf,
  linkOf,
  linksOfSubject,
  organisationTokenOf,
  sessionsOf,
  trailOf,
} from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { signIn } from "../harness/sign_in.ts";
import { countStatements } from "../harness/statements.ts";
import { moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";

const rulesWith = (when: string): string => `
[admit]
when = '${when}'
message.en = "Only <b>active</b> members can link."
[[record]]
key = "member"
type = "boolean_equal"
name = "Member"
description = "Is a member"
value = 'true'
`;

const folder = useFolder("admission");
const database = useDatabase();
const start = async (when: string) =>
  startJanusWithForger({ database, environment: await writeRules(folder, rulesWith(when)) });
const janus = useJanus(() => start("claims.active"));

let lastSubject = 0;
const newSubject = (): string => `subject-${++lastSubject}`;

async function signInAs(
  user: string,
  subject: string,
  active: unknown,
  browser: Browser = createBrowser(janus.url),
): Promise<Response> {
  janus.provider.signInAs({ sub: subject, preferred_username: "anna", active });
  return browser.get(await reachForgerCallback(browser, user));
}

describe("finishProviderLeg()", () => {
  test("links nobody whom the rules refuse, and keeps nothing of them", async () => {
    const [user, subject] = [newUser(), newSubject()];
    const before = janus.provider.liveRefreshTokens();

    const response = await signInAs(user, subject, false);
    const page = await response.text();
    await runUpkeep(janus.deps);

    expect(response.status).toBe(403);
    expect(page).toContain("Only &lt;b>active&lt;/b> members can link.");
    expect([await linkOf(janus, user), await sessionsOf(janus, user)]).toEqual([undefined, []]);
    expect(
      await janus.database.rows(`select * from organisation_account where subject = '${subject}'`),
    ).toEqual([]);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    expect(janus.provider.liveRefreshTokens()).toEqual(before);
    expect(await trailOf(janus, user)).toEqual(["discord_authorized", "not_admitted", "grant_ended"]);
  });

  test.each([[undefined], [null], ["yes"]])(
    "links nobody of whom the claims do not say it, and says so on another page: %p",
    async (active) => {
      const [user, subject] = [newUser(), newSubject()];

      const response = await signInAs(user, subject, active);

      expect(response.status).toBe(403);
      expect(await response.text()).not.toContain("members can link");
      expect(await linkOf(janus, user)).toBeUndefined();
      const told = linesOf(janus, "admission_unknown").filter(({ discordUserId }) => discordUserId === user);
      expect(told.map(({ reason }) => reason)).toEqual(
        active === "yes" ? [] : ["admit: claims.active is missing"],
      );
    },
  );

  test("lets a refused member try again at once, and links them once they are admitted", async () => {
    const [user, subject] = [newUser(), newSubject()];
    await signInAs(user, subject, false);

    const { status } = await signInAs(user, subject, true);
    await runUpkeep(janus.deps);

    expect(status).toBe(200);
    expect(await linkOf(janus, user)).toMatchObject({ subject });
    expect(janus.discord.grants(user)).toBeGreaterThan(0);
  });

  test("keeps the grant of a refused member who is signed in", async () => {
    const [user, subject] = [newUser(), newSubject()];
    await signIn(janus, user);

    await signInAs(user, subject, false);
    await runUpkeep(janus.deps);

    expect(await discordTokenOf(janus, user)).toMatchObject({ endReason: null });
    expect(janus.discord.grants(user)).toBeGreaterThan(0);
  });

  test("asks a refused member about no move, and changes neither link", async () => {
    const [first, second] = [newUser(), newUser()];
    const [held, other] = [newSubject(), newSubject()];
    await signInAs(first, held, true);
    await signInAs(second, other, true);
    const links = [await linkOf(janus, first), await linkOf(janus, second)];

    const response = await signInAs(second, held, false);
    await runUpkeep(janus.deps);

    expect([response.status, moveStateIn(await response.text())]).toEqual([403, ""]);
    expect([await linkOf(janus, first), await linkOf(janus, second)]).toEqual(links);
    expect(janus.discord.grants(second)).toBeGreaterThan(0);
    expect(await organisationTokenOf(janus, held)).toBeDefined();
  });

  test("signs in a member whose accounts are linked already, whatever the rules say", async () => {
    const [user, subject] = [newUser(), newSubject()];
    await signInAs(user, subject, true);

    const { status } = await signInAs(user, subject, false);

    expect(status).toBe(200);
    expect(await linkOf(janus, user)).toMatchObject({ subject, clearedAt: expect.any(Date) });
    expect(await sessionsOf(janus, user)).toHaveLength(2);
  });

  test.each([
    ["claims.active", ["finishProviderLeg", "setPushed"]],
    ['claims.active && linked_at <= now && discord.id != ""', ["findFlow", "finishProviderLeg", "setPushed"]],
  ])("costs a statement more only if the rule reads the account: %s", async (when, expected) => {
    const own = await start(when);
    own.provider.signInAs({ sub: newSubject(), active: true });
    const browser = createBrowser(own.url);
    const { statements, ask } = countStatements(own);
    const address = await reachForgerCallback(browser, newUser());

    const { status } = await ask(address, browser.jar.header(new URL(own.url)));
    await own.stop();

    expect({ status, statements }).toEqual({ status: 303, statements: expected });
  });
});

test("finishProviderLeg() keeps the provider's tokens if the account cannot be read, to revoke them", async () => {
  const own = await start('claims.active && discord.id != ""');
  own.provider.signInAs({ sub: newSubject(), active: true });
  const browser = createBrowser(own.url);
  const address = await reachForgerCallback(browser, newUser());
  const findFlow = () => Promise.reject(databaseUnavailable("no answer"));
  const app = createApp({ ...own.shared, queries: { ...own.shared.queries, findFlow } }, UNHEARD);
  const headers = { cookie: browser.jar.header(new URL(own.url)) };

  const { status } = await app.fetch(new Request(address, { headers }));
  await runUpkeep(own.deps);
  const left = own.provider.liveRefreshTokens();
  await own.stop();

  expect({ status, left }).toEqual({ status: 503, left: [] });
});

test("finishProviderLeg() ends no grant that another flow of the same moment links", async () => {
  for (let round = 0; round < 5; round += 1) {
    const user = newUser();
    const [admitted, refused] = [newSubject(), newSubject()];
    const flows = [createBrowser(janus.url), createBrowser(janus.url)];
    const callbacks: string[] = [];
    for (const [index, browser] of flows.entries()) {
      janus.provider.signInAs({ sub: index === 0 ? admitted : refused, active: index === 0 });
      callbacks.push(await reachForgerCallback(browser, user));
    }

    const answers = await Promise.all(flows.map((browser, index) => browser.get(callbacks[index] ?? "")));
    await runUpkeep(janus.deps);

    expect(answers.map(({ status }) => status)).toEqual([200, 403]);
    expect(await linkOf(janus, user)).toMatchObject({ subject: admitted });
    expect(await discordTokenOf(janus, user)).toMatchObject({ endReason: null });
    expect(janus.discord.grants(user)).toBeGreaterThan(0);
  }
});

test.if(onPostgres)(
  "finishProviderLeg() sees the link that was made while it waited for the grant",
  async () => {
    const [user, linked, refused] = [newUser(), newSubject(), newSubject()];
    const client = postgres(database.config.url ?? "", { max: 1, onnotice: () => undefined });
    const watcher = postgres(database.config.url ?? "", { max: 1, onnotice: () => undefined });
    const browser = createBrowser(janus.url);
    janus.provider.signInAs({ sub: refused, active: false });
    const callback = await reachForgerCallback(browser, user);
    await client.unsafe(
      `begin; select from discord_token where discord_user_id = '${user}' for no key update`,
    );

    const answered = browser.get(callback);
    const waiting =
      "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    while ((await watcher.unsafe(waiting)).length === 0) await Bun.sleep(5);
    await client.unsafe(`
      insert into organisation_account (issuer, subject, claims, claims_seen_at, created_at)
      values ('${janus.provider.issuer}', '${linked}', '{"active": true}', now(), now());
      insert into link (discord_user_id, issuer, subject, linked_at)
      values ('${user}', '${janus.provider.issuer}', '${linked}', now());
      commit`);
    const { status } = await answered;
    await Promise.all([client.end(), watcher.end()]);
    await runUpkeep(janus.deps);

    expect(status).toBe(403);
    expect(await discordTokenOf(janus, user)).toMatchObject({ endReason: null });
    expect(janus.discord.grants(user)).toBeGreaterThan(0);
  },
);

describe("confirmMove()", () => {
  test.each([
    [false, "refused"],
    [undefined, "unknown"],
  ])("moves no link to a member who is not admitted any more: %p", async (active, why) => {
    const [first, second, subject] = [newUser(), newUser(), newSubject()];
    await signInAs(first, subject, true);
    const browser = createBrowser(janus.url);
    const question = await signInAs(second, subject, true, browser);
    const state = moveStateIn(await question.text());
    // The account's claims change before the member answers.
    await signInAs(first, subject, active);

    const response = await browser.post("/link/move", { state });
    const again = await browser.post("/link/move", { state });
    await runUpkeep(janus.deps);

    expect([question.status, response.status, again.status]).toEqual([409, 403, 403]);
    expect((await response.text()).includes("members can link")).toBe(why === "refused");
    expect((await linksOfSubject(janus, subject)).map(({ discordUserId }) => discordUserId)).toEqual([first]);
    expect(janus.discord.grants(second)).toBe(0);
    expect(await trailOf(janus, second)).toContain("not_admitted");
  });

  test("moves the link of an admitted member", async () => {
    const [first, second, subject] = [newUser(), newUser(), newSubject()];
    await signInAs(first, subject, true);
    const browser = createBrowser(janus.url);
    const question = await signInAs(second, subject, true, browser);

    const { status } = await browser.post("/link/move", { state: moveStateIn(await question.text()) });

    expect(status).toBe(200);
    expect((await linksOfSubject(janus, subject)).map(({ discordUserId }) => discordUserId)).toEqual([
      second,
    ]);
    expect(janus.discord.roleConnection(second)?.metadata).toEqual({ member: "1" });
  });
});
