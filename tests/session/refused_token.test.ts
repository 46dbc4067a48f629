/** An access token that Discord refuses before its time: only a refresh tells whether the authorization has ended. */
import { expect, test } from "bun:test";
import { openSession } from "../../lib/session/guard.ts";
import { findMember } from "../../lib/session/refresh.ts";
import { useJanus } from "../harness/hooks.ts";
import { type Browser, startJanusWithForger } from "../harness/janus.ts";
import { sessionsOf, setTime } from "../harness/rows.ts";
import { countOf } from "../harness/seen.ts";
import { callApi, secretsOf, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser } from "../harness/walk.ts";
import { UNAUTHORIZED } from "../standins/discord-faults.ts";

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));

const refreshesOf = (user: string): number => countOf(janus, "token_refresh", user);
const userinfo = (browser: Browser) => callApi(janus, "/api/userinfo", { browser });
/** Another process, as far as this one's refreshes go. */
const anotherProcess = () => ({ ...janus.request(), queries: { ...janus.deps.queries } });

/** A member who is signed in with an access token that Discord no longer takes, and a refresh token that it does. */
async function signInRefused(): Promise<{ readonly user: string; readonly browser: Browser }> {
  const user = newUser();
  const browser = await signIn(janus, user);
  janus.discord.expireAccessTokens(user);
  return { user, browser };
}

test("is refreshed once, and the member is answered", async () => {
  const { user, browser } = await signInRefused();

  const answers = [await userinfo(browser), await userinfo(browser)];

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await answers[0]?.json()).toMatchObject({ discord: { id: user } });
  expect(refreshesOf(user)).toBe(1);
  expect(await sessionsOf(janus, user)).toHaveLength(1);
});

test("is refreshed for the member's page as well", async () => {
  const { user, browser } = await signInRefused();

  const page = await browser.get("/account");

  expect(page.status).toBe(200);
  expect(page.headers.getSetCookie()).toEqual([]);
  expect(refreshesOf(user)).toBe(1);
});

test("is refreshed once, however many ask at the same moment", async () => {
  const { user, browser } = await signInRefused();

  const answers = await Promise.all(Array.from({ length: 30 }, () => userinfo(browser)));

  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(refreshesOf(user)).toBe(1);
});

test("is refreshed by one process, and the other waits for it rather than use it again", async () => {
  const { user, browser } = await signInRefused();
  const session = await openSession(janus.deps, [secretsOf(janus, browser)]);
  const gate = janus.discord.gate("token_refresh", "answer");
  const first = findMember(janus.request(), session);
  await gate.arrived;
  const waits = Promise.withResolvers<void>();
  const sleep = async () => {
    waits.resolve();
    await Bun.sleep(1);
  };

  const second = findMember({ ...anotherProcess(), sleep }, session);
  await waits.promise;
  gate.release();

  expect([(await first).discordUserId, (await second).discordUserId]).toEqual([user, user]);
  expect(refreshesOf(user)).toBe(1);
});

test("ends the session where Discord refuses the refresh for good", async () => {
  const user = newUser();
  const browser = await signIn(janus, user);
  janus.discord.endGrant(user);

  const response = await userinfo(browser);

  expect(response.status).toBe(401);
  expect(await sessionsOf(janus, user)).toEqual([]);
});

test("ends the session where the new token is refused too, and is not refreshed again", async () => {
  const user = newUser();
  const browser = await signIn(janus, user);
  janus.discord.failNext("get_current_authorization", UNAUTHORIZED, 2);

  const response = await userinfo(browser);

  expect(response.status).toBe(401);
  expect(response.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
  expect(await sessionsOf(janus, user)).toEqual([]);
  expect(refreshesOf(user)).toBe(1);
});

test("ends the session where the token was refreshed in the same request since it was near its end", async () => {
  const user = newUser();
  const browser = await signIn(janus, user);
  await setTime(janus, "session", "token_expires_at", 60, user);
  janus.discord.failNext("get_current_authorization", UNAUTHORIZED);

  expect((await userinfo(browser)).status).toBe(401);
  expect(refreshesOf(user)).toBe(1);
});

test("ends nothing while the refresh meets an outage: 503, and later it works", async () => {
  const { user, browser } = await signInRefused();
  janus.discord.failNext("token_refresh", { status: 503 });

  const during = await userinfo(browser);
  const kept = await sessionsOf(janus, user);
  const after = await userinfo(browser);

  expect([during.status, after.status]).toEqual([503, 200]);
  expect(Number(during.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(kept).toHaveLength(1);
});

test("ends nothing where the new token meets an outage; refused next, it is not answered by another refresh", async () => {
  const user = newUser();
  const browser = await signIn(janus, user);
  const answers = [UNAUTHORIZED, { status: 502 }, { status: 502 }, { status: 502 }, UNAUTHORIZED];
  for (const answer of answers) janus.discord.failNext("get_current_authorization", answer);

  const during = await userinfo(browser);
  const kept = await sessionsOf(janus, user);
  const next = await userinfo(browser);

  expect([during.status, next.status]).toEqual([503, 401]);
  expect(kept).toHaveLength(1);
  expect(refreshesOf(user)).toBe(1);
  expect(await sessionsOf(janus, user)).toEqual([]);
});

test("is refreshed again where the last refresh is long past", async () => {
  const { user, browser } = await signInRefused();
  await userinfo(browser);
  janus.clock.advance(3_600);
  janus.discord.expireAccessTokens(user);

  expect((await userinfo(browser)).status).toBe(200);
  expect(refreshesOf(user)).toBe(2);
});

test("ends a session without a refresh token: nothing can replace it", async () => {
  const user = newUser();
  const browser = await linkMember(janus, user);
  janus.discord.expireAccessTokens(user);

  const response = await userinfo(browser);

  expect(response.status).toBe(401);
  expect(await sessionsOf(janus, user)).toEqual([]);
  expect(refreshesOf(user)).toBe(0);
});

test("is found refreshed by a process that lost the race: no second refresh, and the session stays", async () => {
  const { user, browser } = await signInRefused();
  const stale = await openSession(janus.deps, [secretsOf(janus, browser)]);
  await userinfo(browser);

  const member = await findMember(anotherProcess(), stale);

  expect(member.discordUserId).toBe(user);
  expect(refreshesOf(user)).toBe(1);
});
