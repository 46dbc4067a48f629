/** The link flow, end to end, with the certified provider, the stand-in for Discord and a real database. */
import { describe, expect, test } from "bun:test";
import { useJanus } from "../harness/hooks.ts";
import {
  createBrowser,
  lastCode,
  locationOf,
  startJanus,
  startJanusWithForger,
  USERS,
} from "../harness/janus.ts";
import {
  discordTokenOf,
  linkOf,
  linksOfSubject,
  organisationTokenOf,
  rowsOf,
  rowsOfMember,
  setTime,
} from "../harness/rows.ts";
import { operationsOf } from "../harness/seen.ts";
import { linkAccounts, moveStateIn, newUser, reachDiscordCallback } from "../harness/walk.ts";
import { cancelAtProvider, denyDiscord, signInAtProvider } from "../standins/member.ts";

describe("with the certified provider", () => {
  const janus = useJanus(() => startJanus());

  test("the link flow links, pushes and names both accounts", async () => {
    const response = await linkAccounts(janus, USERS.anna.id, "anna");

    const page = await response.text();
    expect(response.status).toBe(200);
    expect(page).toContain("Anna on Discord");
    expect(page).toContain("anna_d");
    expect(page).toContain(`href="${janus.discord.url}/channels/@me"`);
    expect(janus.discord.roleConnection(USERS.anna.id)).toEqual({
      platform_name: "D-sektionen",
      platform_username: "anna",
      metadata: { dsek_member: "1" },
    });
    const link = await linkOf(janus, USERS.anna.id);
    expect(link).toMatchObject({
      issuer: janus.provider.issuer,
      subject: "sub-of-anna",
      pushFailures: 0,
      pushDueAt: null,
    });
    expect(link?.pushedAt).toBeInstanceOf(Date);
    const accounts = await rowsOf(janus, "organisation_account");
    expect(accounts.find(({ subject }) => subject === "sub-of-anna")?.claims).toEqual({
      preferred_username: "anna",
      name: "Anna Andersson",
    });
  });

  test("the link flow stores nothing if cancelled at Discord", async () => {
    const browser = createBrowser(janus.url);
    const callback = await denyDiscord(locationOf(await browser.get("/linked-role")));
    const before = await janus.database.dump();

    const response = await browser.get(callback);

    expect(response.status).toBe(200);
    expect(await response.text()).toContain("Nothing");
    expect(await janus.database.dump()).toBe(before);
    expect((await browser.get(callback)).status).toBe(403);
  });

  test("the link flow makes no link if cancelled there", async () => {
    const browser = createBrowser(janus.url);
    const departure = await browser.get(await reachDiscordCallback(browser, USERS.cleo.id));

    const response = await browser.get(await cancelAtProvider(locationOf(departure)));

    expect(response.status).toBe(200);
    expect(await linkOf(janus, USERS.cleo.id)).toBeUndefined();
  });

  test("the link flow survives new keys of the provider", async () => {
    const browser = createBrowser(janus.url);
    const departure = await browser.get(await reachDiscordCallback(browser, USERS.bo.id));
    janus.provider.rotateKeys();

    const response = await browser.get(await signInAtProvider(locationOf(departure), "bo"));

    expect(response.status).toBe(200);
    expect(janus.discord.roleConnection(USERS.bo.id)?.platform_username).toBe("bo");
  });
});

describe("with the forger", () => {
  const janus = useJanus(() => startJanusWithForger());

  /** Signs in at both; the last callback is not yet visited. */
  async function reach(sub: string, discordUserId: string = newUser()) {
    const browser = createBrowser(janus.url);
    const departure = locationOf(await browser.get(await reachDiscordCallback(browser, discordUserId)));
    janus.provider.signInAs({ sub, preferred_username: `name-of-${sub}`, groups: ["members"] });
    const callback = locationOf(await fetch(departure, { redirect: "manual" }));
    return { browser, callback, discordUserId };
  }
  const finish = async (sub: string, discordUserId?: string) => {
    const walk = await reach(sub, discordUserId);
    return { ...walk, response: await walk.browser.get(walk.callback) };
  };

  test("startLink() redirects to Discord and calls no server", async () => {
    const before = janus.discord.calls.length + janus.provider.calls.length;
    const browser = createBrowser(janus.url);

    const location = new URL(locationOf(await browser.get("/linked-role")));

    expect(`${location.origin}${location.pathname}`).toBe(janus.discord.authorizeUrl);
    expect(Object.fromEntries(location.searchParams)).toEqual({
      response_type: "code",
      client_id: janus.config.discord.clientId,
      redirect_uri: `${janus.url}/discord-oauth-callback`,
      scope: "identify role_connections.write",
      prompt: "consent",
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(janus.discord.calls.length + janus.provider.calls.length).toBe(before);
  });

  test("the link flow makes four upstream calls, none twice", async () => {
    await finish("warm-up");
    const discordBefore = janus.discord.calls.length;
    const providerBefore = janus.provider.calls.length;

    await finish("four-calls");

    expect(operationsOf(janus, discordBefore)).toEqual([
      "token_code",
      "get_current_authorization",
      "put_role_connection",
    ]);
    expect(janus.provider.calls.slice(providerBefore)).toEqual(["authorize", "token"]);
  });

  test("the link flow finishes in each of three tabs at once", async () => {
    const browser = createBrowser(janus.url);
    const users = [newUser(), newUser(), newUser()];
    const departures = [];
    for (const user of users) departures.push(await reachDiscordCallback(browser, user));
    const callbacks = [];
    for (const [index, callback] of departures.entries()) {
      janus.provider.signInAs({ sub: `tab-${index}`, preferred_username: `tab-${index}`, groups: [] });
      const authorization = locationOf(await browser.get(callback));
      callbacks.push(locationOf(await fetch(authorization, { redirect: "manual" })));
    }

    const answers = [];
    for (const callback of callbacks.reverse()) answers.push((await browser.get(callback)).status);

    expect(answers).toEqual([200, 200, 200]);
    for (const [index, user] of users.entries()) {
      expect(janus.discord.roleConnection(user)?.platform_username).toBe(`tab-${index}`);
    }
  });

  test("the link flow keeps one link and newer tokens when repeated", async () => {
    const { discordUserId } = await finish("again");
    const before = await discordTokenOf(janus, discordUserId);

    const { response } = await finish("again", discordUserId);

    expect(response.status).toBe(200);
    expect(await linksOfSubject(janus, "again")).toHaveLength(1);
    const after = await discordTokenOf(janus, discordUserId);
    expect(after?.accessTokenSealed).not.toBe(before?.accessTokenSealed);
  });

  test("the link flow keeps the refresh token if no new one comes", async () => {
    const { discordUserId } = await finish("kept-refresh");
    const held = async () => (await organisationTokenOf(janus, "kept-refresh"))?.refreshTokenSealed;
    const before = await held();
    janus.provider.override({
      tokenAnswer: (answer) => ({ ...answer, refresh_token: undefined }),
    });

    await finish("kept-refresh", discordUserId);
    janus.provider.reset();

    expect(await held()).toEqual(before);
  });

  describe("in a conflict", () => {
    test("finishProviderLeg() names both, changing nothing", async () => {
      const first = await finish("taken");
      const { response, discordUserId } = await finish("taken");

      const page = await response.text();
      expect(response.status).toBe(409);
      expect(page).toContain(`user-${first.discordUserId}`.slice(0, 5));
      expect(page).toContain("name-of-taken");
      expect(await linksOfSubject(janus, "taken")).toMatchObject([{ discordUserId: first.discordUserId }]);
      expect(janus.discord.roleConnection(discordUserId)).toBeUndefined();
      expect(janus.discord.roleConnection(first.discordUserId)?.metadata).toEqual({ dsek_member: "1" });
    });

    test("confirmMove() moves all and ends the old grant", async () => {
      const first = await finish("moved");
      const second = await finish("moved");
      const state = moveStateIn(await second.response.text());

      const response = await second.browser.post("/link/move", { state });

      expect(response.status).toBe(200);
      expect(await linksOfSubject(janus, "moved")).toMatchObject([{ discordUserId: second.discordUserId }]);
      expect(janus.discord.roleConnection(second.discordUserId)?.metadata).toEqual({ dsek_member: "1" });
      expect(janus.discord.roleConnection(first.discordUserId)).toBeUndefined();
      expect(janus.discord.grants(first.discordUserId)).toBe(0);
      expect(await rowsOfMember(janus, "discord_account", first.discordUserId)).toEqual([]);
    });

    test("confirmMove() refuses a second confirmation", async () => {
      await finish("moved-once");
      const second = await finish("moved-once");
      const state = moveStateIn(await second.response.text());
      await second.browser.post("/link/move", { state });

      const again = await second.browser.post("/link/move", { state });

      expect(again.status).toBe(403);
    });

    test("confirmMove() moves once for two requests at once", async () => {
      await finish("moved-twice");
      const second = await finish("moved-twice");
      const state = moveStateIn(await second.response.text());
      const confirm = () => second.browser.post("/link/move", { state });

      const answers = await Promise.all([confirm(), confirm()]);

      expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
      expect(janus.logLines.join("")).toContain('"code":"flow_finished"');
    });

    test.each([null, "null", "https://evil.example", "http://127.0.0.1:1"])(
      "a form of Origin %p is refused",
      async (origin) => {
        const sub = `csrf-${JSON.stringify(origin)}`;
        const first = await finish(sub);
        const second = await finish(sub);
        const state = moveStateIn(await second.response.text());
        const before = await janus.database.dump();

        const response = await second.browser.post("/link/move", { state }, origin);

        expect(response.status).toBe(403);
        expect(lastCode(janus)).toBe("origin_refused");
        expect(await response.text()).toContain("<h1>");
        expect(await janus.database.dump()).toBe(before);
        expect(await linksOfSubject(janus, sub)).toMatchObject([{ discordUserId: first.discordUserId }]);
      },
    );

    test("confirmMove() refuses the state in another browser", async () => {
      await finish("stolen-state");
      const second = await finish("stolen-state");
      const state = moveStateIn(await second.response.text());

      const response = await createBrowser(janus.url).post("/link/move", { state });

      expect(response.status).toBe(403);
    });

    test("confirmMove() refuses a flow that is not a move", async () => {
      const { browser, callback } = await reach("not-a-move");
      const state = new URL(callback).searchParams.get("state") ?? "";

      expect((await browser.post("/link/move", { state })).status).toBe(403);
      expect((await browser.get(callback)).status).toBe(200);
    });

    test("confirmMove() refuses a move after ten minutes", async () => {
      await finish("slow-move");
      const second = await finish("slow-move");
      const state = moveStateIn(await second.response.text());
      janus.clock.advance(601);

      const response = await second.browser.post("/link/move", { state });

      expect(response.status).toBe(403);
      expect(await linksOfSubject(janus, "slow-move")).not.toMatchObject([
        { discordUserId: second.discordUserId },
      ]);
    });
  });

  test("finishProviderLeg() also asks a linked account, which can move", async () => {
    const { discordUserId } = await finish("earlier");
    const second = await finish("later", discordUserId);
    const page = await second.response.text();
    expect(second.response.status).toBe(409);
    expect(page).toContain("name-of-earlier");

    const response = await second.browser.post("/link/move", { state: moveStateIn(page) });

    expect(response.status).toBe(200);
    expect(await linkOf(janus, discordUserId)).toMatchObject({ subject: "later" });
    expect(janus.discord.roleConnection(discordUserId)?.platform_username).toBe("name-of-later");
    expect(janus.discord.grants(discordUserId)).toBeGreaterThan(0);
  });

  test("two flows that link the same accounts at once make one link", async () => {
    const user = newUser();
    const walks = [await reach("at-once", user), await reach("at-once", user)];

    const answers = await Promise.all(walks.map(({ browser, callback }) => browser.get(callback)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await linksOfSubject(janus, "at-once")).toHaveLength(1);
  });

  test("three Discord accounts that claim one at once get one link", async () => {
    const walks = [await reach("contested"), await reach("contested"), await reach("contested")];

    const answers = await Promise.all(walks.map(({ browser, callback }) => browser.get(callback)));

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(await linksOfSubject(janus, "contested")).toHaveLength(1);
  });

  describe("when a push fails", () => {
    test.each([
      ["three answers with 500", { status: 500 }, 3],
      ["three answers with 502", { status: 502 }, 3],
      ["a 429 with a long wait", { status: 429, headers: { "retry-after": "120" } }, 1],
      ["a 403", { status: 403, body: { message: "Missing Access", code: 50_001 } }, 1],
    ] as const)("the link stays after %s", async (name, behaviour, times) => {
      const sub = `unpushed ${name}`;
      const walk = await reach(sub);
      janus.discord.failNext("put_role_connection", behaviour, times);

      const response = await walk.browser.get(walk.callback);

      expect(response.status).toBe(200);
      expect(await response.text()).toContain("name-of-unpushed");
      expect(await linksOfSubject(janus, sub)).toMatchObject([
        { pushFailures: 1, pushDueAt: expect.any(Date) },
      ]);
      expect(janus.discord.grants(walk.discordUserId)).toBe(2);
    });
  });

  test("finishProviderLeg() answers 403 if the grant ended on the way", async () => {
    const walk = await reach("ended-on-the-way");
    janus.discord.endGrant(walk.discordUserId);

    const response = await walk.browser.get(walk.callback);

    expect(response.status).toBe(403);
    expect(lastCode(janus)).toBe("grant_ended");
    expect(await linksOfSubject(janus, "ended-on-the-way")).toMatchObject([{ pushFailures: 1 }]);
  });

  test("confirmMove() makes no link on a grant that is to end", async () => {
    const [one, two] = [await finish("crossing-a"), await finish("crossing-b")];
    const oneAsB = await finish("crossing-b", one.discordUserId);
    const twoAsA = await finish("crossing-a", two.discordUserId);
    janus.discord.failNext("delete_role_connection", { status: 503 }, 3);
    const first = await oneAsB.browser.post("/link/move", {
      state: moveStateIn(await oneAsB.response.text()),
    });

    const second = await twoAsA.browser.post("/link/move", {
      state: moveStateIn(await twoAsA.response.text()),
    });

    expect([first.status, second.status]).toEqual([200, 403]);
    const links = await Promise.all(["crossing-a", "crossing-b"].map((sub) => linksOfSubject(janus, sub)));
    expect(links.flat()).toMatchObject([{ discordUserId: one.discordUserId, subject: "crossing-b" }]);
  });

  test("confirmMove() takes no link made since the question was asked", async () => {
    await finish("asked");
    const walks = [await finish("asked"), await finish("asked"), await finish("asked")];
    const states = await Promise.all(walks.map(async ({ response }) => moveStateIn(await response.text())));

    const answers = await Promise.all(
      walks.map(({ browser }, index) => browser.post("/link/move", { state: states[index] ?? "" })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
    expect(await linksOfSubject(janus, "asked")).toHaveLength(1);
  });

  test("finishProviderLeg() refreshes, once, a token that expired", async () => {
    const walk = await reach("expired-on-the-way");
    const id = walk.discordUserId;
    await setTime(janus, "discord_token", "expires_at", -60, id);
    janus.discord.expireAccessTokens(id);
    const before = janus.discord.calls.length;

    const response = await walk.browser.get(walk.callback);

    expect(response.status).toBe(200);
    expect(operationsOf(janus, before)).toEqual(["token_refresh", "put_role_connection"]);
    const token = await discordTokenOf(janus, id);
    expect(token?.leasedUntil).toBeNull();
    expect(Number(token?.expiresAt)).toBeGreaterThan(janus.clock.now().getTime());
  });
});
