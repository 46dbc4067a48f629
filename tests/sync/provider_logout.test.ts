/** What a logout at the provider leads to: the sessions end, the claims are due, and the link and the role stay. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { en } from "../../lib/pages/texts/en.ts";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import { createShared } from "../../lib/wiring.ts";
import { logoutClaims, sendLogout } from "../fixtures/logout.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import { startJanus, startJanusWithForger, UNHEARD, USERS } from "../harness/janus.ts";
import { linkOf, rowsOfMember } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { signIn } from "../harness/sign_in.ts";
import { linkAccounts, linkMember, newUser } from "../harness/walk.ts";
import { createKey, signToken } from "../standins/forger_tokens.ts";

const KEY = createKey("ES256", "es-1");
const DAY_SECONDS = 86_400;
/** How long a provider may take to end what belongs to a session. */
const SETTLED_SECONDS = 600;

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, forger: { key: KEY } }));
/** Another replica on the same database. */
function startReplica(isUnreachable: (url: string) => boolean = () => false) {
  const shared = createShared(janus.shared, database.db, {
    fetch: (url, init) =>
      isUnreachable(url) ? Promise.reject(new TypeError("cannot connect")) : fetch(url, init),
    now: janus.clock.now,
    sleep: async () => undefined,
    log: janus.shared.log,
    version: "0.0.0-test",
  });
  const app = createApp(shared, UNHEARD);
  const address = `${janus.url}/oidc/backchannel-logout`;
  return async (token: string): Promise<Response> => {
    const body = new URLSearchParams({ logout_token: token });
    return app.fetch(new Request(address, { method: "POST", body }));
  };
}

beforeEach(async () => {
  janus.clock.advance(3_700);
  await database.rows("delete from link");
});

/** A member who is linked and signed in, with the provider's session. */
async function link(sid?: string) {
  const user = newUser();
  const sub = `subject-of-${user}`;
  janus.provider.signInAs({ sub, preferred_username: "anna", ...(sid === undefined ? {} : { sid }) });
  const browser = await linkMember(janus, user);
  return { user, sub, browser };
}

const tokenOf = (sub: string, change: Readonly<Record<string, unknown>> = {}): string =>
  signToken(
    { ...logoutClaims(janus.provider.issuer, janus.clock.now(), sub), ...change },
    { typ: "logout+jwt" },
    KEY,
  );

const sessionsOf = (user: string) =>
  database.rows(`select session_handle from session where discord_user_id = '${user}'`);
const endCauseOf = async (sub: string) =>
  (await database.rows(`select end_cause from organisation_token where subject = '${sub}'`))[0]?.endCause;
const trailOf = async (user: string) =>
  (
    await database.rows(
      `select action from audit_event where discord_user_id = '${user}' order by audit_event_id`,
    )
  ).map(({ action }) => action);

describe("a logout at the provider", () => {
  test("ends the member's sessions, makes the claims due, and leaves link and role", async () => {
    const { user, sub } = await link();
    const { user: neighbour } = await link();
    const before = linesOf(janus, "event_received").length;

    const response = await sendLogout(janus.url, tokenOf(sub));

    const row = await linkOf(janus, user);
    expect(response.status).toBe(200);
    expect(await sessionsOf(user)).toEqual([]);
    expect(await sessionsOf(neighbour)).toHaveLength(1);
    expect(Number(row?.checkDueAt)).toBeLessThanOrEqual(Number(janus.clock.now()));
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
    expect((await trailOf(user)).at(-1)).toBe("provider_logout");
    expect(linesOf(janus, "event_received").slice(before)).toMatchObject([
      { source: "logout", outcome: "rechecked", discordUserId: user },
    ]);
  });

  test("is told on the member's page, beside what has come of it", async () => {
    const { user, sub } = await link();
    await sendLogout(janus.url, tokenOf(sub));

    const browser = await signIn(janus, user);
    const text = textOf(await (await browser.get("/account")).text()).replaceAll("\n", " ");

    expect(text).toContain(en.told.title);
    expect(text).toContain("signed you out, so Janus signed you out too.");
  });

  test("reaches Discord within five seconds if the provider's answer has changed", async () => {
    const { user, sub } = await link();
    const upkeep = startUpkeep(janus.deps);
    janus.provider.setIdentity({ sub, preferred_username: "anna-b" });

    await sendLogout(janus.url, tokenOf(sub));
    const usernameOf = () => janus.discord.roleConnection(user)?.platform_username;
    const startedAt = performance.now();
    while (usernameOf() !== "anna-b" && performance.now() - startedAt < 5_000) await Bun.sleep(20);
    await upkeep.stop();

    expect(usernameOf()).toBe("anna-b");
  });

  test("of somebody who is not linked is ignored", async () => {
    const before = linesOf(janus, "event_received").length;

    const response = await sendLogout(janus.url, tokenOf("nobody"));

    expect(response.status).toBe(200);
    expect(linesOf(janus, "event_received").slice(before)).toMatchObject([
      { source: "logout", outcome: "ignored" },
    ]);
  });

  test("has its effect once, whichever replica gets the repeats", async () => {
    const { user, sub } = await link();
    const token = tokenOf(sub);

    const sendOther = startReplica();
    const answers = await Promise.all([
      sendLogout(janus.url, token),
      sendOther(token),
      sendLogout(janus.url, token),
      sendOther(token),
    ]);
    const statuses = answers.map(({ status }) => status);

    expect(statuses).toEqual([200, 200, 200, 200]);
    expect((await trailOf(user)).filter((action) => action === "provider_logout")).toHaveLength(1);
  });

  test("after which the refresh token is dead takes no role, however long that lasts", async () => {
    const { user, sub } = await link();
    await sendLogout(janus.url, tokenOf(sub));

    janus.provider.endGrant(sub);
    await runUpkeep(janus.deps);
    janus.clock.advance(40 * DAY_SECONDS);
    await runUpkeep(janus.deps);
    await runUpkeep(janus.deps);

    expect(await endCauseOf(sub)).toBe("logged_out");
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
  });

  test("takes no role from a provider that ends the refresh token only after Janus has renewed it", async () => {
    const { user, sub } = await link();
    await sendLogout(janus.url, tokenOf(sub));
    await runUpkeep(janus.deps);

    janus.provider.endGrant(sub);
    janus.clock.advance(SETTLED_SECONDS);
    await runUpkeep(janus.deps);
    const refused = await endCauseOf(sub);
    janus.clock.advance(40 * DAY_SECONDS);
    await runUpkeep(janus.deps);

    expect(refused).toBe("logged_out");
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
  });

  test.each([
    ["begins no grace if the refresh token was refused a moment before", 60, "logged_out"],
    ["leaves a grace that began long before", SETTLED_SECONDS + 1, "invalid_grant"],
  ])("%s", async (_, seconds, endCause) => {
    const { sub } = await link();
    janus.provider.endGrant(sub);
    janus.clock.advance(2 * DAY_SECONDS);
    await runUpkeep(janus.deps);
    const before = await endCauseOf(sub);

    janus.clock.advance(seconds);
    await sendLogout(janus.url, tokenOf(sub));

    expect([before, await endCauseOf(sub)]).toEqual(["invalid_grant", endCause]);
  });

  test("says nothing of a refresh token that was renewed once the logout was settled", async () => {
    const { sub } = await link();
    await sendLogout(janus.url, tokenOf(sub));
    await runUpkeep(janus.deps);
    janus.clock.advance(SETTLED_SECONDS);
    await runUpkeep(janus.deps);

    janus.provider.endGrant(sub);
    janus.clock.advance(2 * DAY_SECONDS);
    await runUpkeep(janus.deps);

    expect(await endCauseOf(sub)).toBe("invalid_grant");
  });

  test("is answered 503 while the provider's keys cannot be fetched, and nothing changes", async () => {
    const { user, sub } = await link();
    const sendOther = startReplica((url) => url.includes("jwks"));

    const response = await sendOther(tokenOf(sub));

    expect(response.status).toBe(503);
    expect(await sessionsOf(user)).toHaveLength(1);
  });
});

describe("with the certified provider", () => {
  const certified = useJanus(() => startJanus());

  test("a session that ends there ends at Janus, and the link lives on", async () => {
    await linkAccounts(certified, USERS.anna.id, "anna");
    const before = await rowsOfMember(certified, "session", USERS.anna.id);
    const [token] = await certified.database.rows("select provider_session_id from organisation_token");

    await certified.provider.logOut("anna");

    const after = await rowsOfMember(certified, "session", USERS.anna.id);
    expect([before.length, after.length]).toEqual([1, 0]);
    expect(token).toEqual({ providerSessionId: expect.stringMatching(/^[\w-]{10,}$/) });
    expect(linesOf(certified, "event_received")).toMatchObject([
      { source: "logout", outcome: "rechecked", discordUserId: USERS.anna.id },
    ]);
    await runUpkeep(certified.deps);
    // The access token has ended with the session. That takes nothing.
    expect(await linkOf(certified, USERS.anna.id)).toMatchObject({ clearedAt: null, lossFoundAt: null });
    expect(certified.discord.roleConnection(USERS.anna.id)?.metadata).toEqual({ dsek_member: "1" });
  });
});
