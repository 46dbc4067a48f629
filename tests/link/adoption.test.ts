/**
 * Links that were imported by a username alone: who turns one into a link of a real account, who does not, and that a
 * username that somebody else has taken over takes nothing from anybody.
 */
import { describe, expect, test } from "bun:test";
import { runSync } from "../../lib/operator/sync_run.ts";
import { csvOf, importFrom, waiting } from "../fixtures/imports.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf, organisationTokenOf, trailOf } from "../harness/rows.ts";
import { keepUp } from "../harness/upkeep.ts";
import { linkMember, moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";

const folder = useFolder("adoption");
const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database }));

const byUsername = () => `${janus.config.oidc.issuer}#preferred_username`;

/** A member whom the earlier service knew as this username. */
async function importMember(username: string): Promise<string> {
  const user = newUser();
  const { refreshToken } = janus.discord.giveTokens(user);
  const content = `discord_user_id,username,refresh_token\n${user},${username},${refreshToken}\n`;
  const { stored } = await importFrom(janus, csvOf(folder, content));
  expect(stored).toMatchObject({ imported: 1, byUsername: 1 });
  await runSync(janus.deps, { kind: "due" }, waiting());
  expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
  return user;
}

/** Signs in at both; the page at the end. */
async function walk(user: string): Promise<Response> {
  const browser = createBrowser(janus.url);
  return browser.get(await reachForgerCallback(browser, user));
}

describe("finishProviderLeg() after an import by username", () => {
  test("turns the link into one of the real account, and reads it from then on", async () => {
    const user = await importMember("first");
    janus.provider.signInAs({ sub: "sub-of-first", preferred_username: "first" });

    const page = await walk(user);

    expect(page.status).toBe(200);
    expect(await linkOf(janus, user)).toMatchObject({
      issuer: janus.config.oidc.issuer,
      subject: "sub-of-first",
      importedAt: null,
    });
    expect(await organisationTokenOf(janus, "sub-of-first")).toBeDefined();
    expect((await trailOf(janus, user)).filter((action) => action === "adopted")).toHaveLength(1);
    expect(await trailOf(janus, user)).not.toContain("relinked");
    await keepUp(janus, 2);
    expect(await database.rows("select subject from organisation_account where subject = 'first'")).toEqual(
      [],
    );
    expect(await linkOf(janus, user)).toBeDefined();
  });

  test("does so once: another account that takes the username over is asked about", async () => {
    const user = await importMember("second");
    janus.provider.signInAs({ sub: "sub-of-second", preferred_username: "second" });
    await walk(user);
    janus.provider.signInAs({ sub: "sub-of-heir", preferred_username: "second" });

    const page = await (await walk(user)).text();

    expect(moveStateIn(page)).not.toBe("");
    expect(await linkOf(janus, user)).toMatchObject({ subject: "sub-of-second" });
  });

  test("gives nothing of the link to somebody else who has the username", async () => {
    const [user, thief] = [await importMember("former"), newUser()];
    janus.provider.signInAs({ sub: "sub-of-thief", preferred_username: "former" });

    const page = await walk(thief);

    expect(page.status).toBe(200);
    expect(await linkOf(janus, thief)).toMatchObject({ subject: "sub-of-thief" });
    expect(await linkOf(janus, user)).toMatchObject({ issuer: byUsername(), subject: "former" });
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
    expect(await trailOf(janus, user)).not.toContain("adopted");
  });

  test("asks a member whose account is linked to another Discord account", async () => {
    const [user, other] = [await importMember("double"), newUser()];
    janus.provider.signInAs({ sub: "sub-of-double", preferred_username: "double" });
    await linkMember(janus, other);

    const page = await (await walk(user)).text();

    expect(moveStateIn(page)).not.toBe("");
    expect(await linkOf(janus, user)).toMatchObject({ issuer: byUsername() });
    expect(await linkOf(janus, other)).toMatchObject({ subject: "sub-of-double" });
  });

  test.each([
    ["another username", { preferred_username: "renamed" }],
    ["the username in capitals", { preferred_username: "BOUND" }],
    ["no username", {}],
    ["a list of usernames", { preferred_username: ["bound"] }],
    ["the username as another claim", { nickname: "bound", name: "bound" }],
    ["the username as a subject", { sub: "bound" }],
  ])("asks a member of %s, and a yes replaces the link", async (_, claims) => {
    const user = await importMember("bound");
    janus.provider.signInAs({ sub: `sub-${user}`, ...claims });
    const browser = createBrowser(janus.url);
    const page = await (await browser.get(await reachForgerCallback(browser, user))).text();
    const before = await linkOf(janus, user);

    const answer = await browser.post("/link/move", { state: moveStateIn(page) });

    expect(before).toMatchObject({ issuer: byUsername(), subject: "bound" });
    expect(answer.status).toBe(200);
    expect(await linkOf(janus, user)).toMatchObject({ issuer: janus.config.oidc.issuer, importedAt: null });
    expect(await trailOf(janus, user)).not.toContain("adopted");
  });

  test("leaves one whole link if two of its accounts arrive at the same moment", async () => {
    for (let time = 0; time < 10; time += 1) {
      const username = `race-${time}`;
      const user = await importMember(username);
      const legs: (() => Promise<Response>)[] = [];
      for (const sub of [`sub-${username}-a`, `sub-${username}-b`]) {
        janus.provider.signInAs({ sub, preferred_username: username });
        const browser = createBrowser(janus.url);
        const callback = await reachForgerCallback(browser, user);
        legs.push(() => browser.get(callback));
      }

      await Promise.all(legs.map((leg) => leg()));

      const link = await linkOf(janus, user);
      expect(link).toMatchObject({ issuer: janus.config.oidc.issuer });
      const adopted = (await trailOf(janus, user)).filter((action) => action === "adopted");
      expect(adopted).toHaveLength(1);
    }
  });

  test("asks the provider nothing of a member who has not signed in", async () => {
    await importMember("quiet");
    const calls = janus.provider.calls.length;

    const { counts } = await runSync(janus.deps, { kind: "all" }, waiting());

    expect(counts).toMatchObject({ checked: 1, unknown: 1, changed: 0, failed: 0 });
    expect(janus.provider.calls.slice(calls)).toEqual([]);
  });
});
