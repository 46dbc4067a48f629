/** Discord may refuse an access token before it expires. Only a refresh tells whether the authorization has ended. */
import { expect, test } from "bun:test";
import { openSession } from "../../lib/session/guard.ts";
import { findMember } from "../../lib/session/refresh.ts";
import { useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { sessionsOf, setTime } from "../harness/rows.ts";
import { countOf } from "../harness/seen.ts";
import { callApi, secretsOf, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser } from "../harness/walk.ts";
import { UNAUTHORIZED } from "../standins/discord_faults.ts";

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));

const refreshesOf = (user: string): number => countOf(janus, "token_refresh", user);
const userinfo = (browser: Browser) => callApi(janus, "/api/userinfo", { browser });
/** Stands for another process: it does not see the refreshes that this one has under way. */
const anotherProcess = () => ({ ...janus.request(), queries: { ...janus.deps.queries } });

/** Signs a member in whose access token Discord no longer takes, and whose refresh token it still takes. */
async function signInRefused(): Promise<{ readonly user: string; readonly browser: Browser }> {
  const user = newUser();
  const browser = await signIn(janus, user);
  janus.discord.expireAccessTokens(user);
  return { user, browser };
}

test("GET /api/userinfo refreshes a refused token once and answers the member", async () => {
  const { user, browser } = await signInRefused();

  const answers = [await userinfo(browser), await userinfo(browser)];

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await answers[0]?.json()).toMatchObject({ discord: { id: user } });
  expect(refreshesOf(user)).toBe(1);
  expect(await sessionsOf(janus, user)).toHaveLength(1);
});

test("GET /account refreshes a refused token once and sets no cookies", async () => {
  const { user, browser } = await signInRefused();

  const page = await browser.get("/account");

  expect(page.status).toBe(200);
  expect(page.headers.getSetCookie()).toEqual([]);
  expect(refreshesOf(user)).toBe(1);
});

test("GET /api/userinfo keeps the session if Discord answers the refresh with invalid_request", async () => {
  const { user, browser } = await signInRefused();
  janus.discord.failNext("token_refresh", { status: 400, body: '{"error":"invalid_request"}' });

  const refused = await userinfo(browser);
  const later = await userinfo(browser);

  expect([refused.status, later.status]).toEqual([502, 200]);
  expect(await refused.json()).toMatchObject({ code: "discord_client_rejected" });
  expect(await sessionsOf(janus, user)).toHaveLength(1);
});

test("GET /api/userinfo refreshes a refused token once for 30 requests at once", async () => {
  const { user, browser } = await signInRefused();

  const answers = await Promise.all(Array.from({ length: 30 }, () => userinfo(browser)));

  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(refreshesOf(user)).toBe(1);
});

test("findMember() waits for another process's refresh and does not repeat it", async () => {
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

test("GET /api/userinfo ends the session when Discord refuses the refresh for good", async () => {
  const user = newUser();
  const browser = await signIn(janus, user);
  janus.discord.endGrant(user);

  const response = await userinfo(browser);

  expect(response.status).toBe(401);
  expect(await sessionsOf(janus, user)).toEqual([]);
});

test("GET /api/userinfo ends the session after one refresh if the new token is refused", async () => {
  const user = newUser();
  const browser = await signIn(janus, user);
  janus.discord.failNext("get_current_authorization", UNAUTHORIZED, 2);

  const response = await userinfo(browser);

  expect(response.status).toBe(401);
  expect(response.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
  expect(await sessionsOf(janus, user)).toEqual([]);
  expect(refreshesOf(user)).toBe(1);
});

test("GET /api/userinfo answers 401 if a token refreshed in this request is refused", async () => {
  const user = newUser();
  const browser = await signIn(janus, user);
  await setTime(janus, "session", "token_expires_at", 60, user);
  janus.discord.failNext("get_current_authorization", UNAUTHORIZED);

  expect((await userinfo(browser)).status).toBe(401);
  expect(refreshesOf(user)).toBe(1);
});

test("GET /api/userinfo answers 503 and keeps the session if the refresh gets a 503", async () => {
  const { user, browser } = await signInRefused();
  janus.discord.failNext("token_refresh", { status: 503 });

  const during = await userinfo(browser);
  const kept = await sessionsOf(janus, user);
  const after = await userinfo(browser);

  expect([during.status, after.status]).toEqual([503, 200]);
  expect(Number(during.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(kept).toHaveLength(1);
});

test("GET /api/userinfo refreshes once if the new token meets an outage, then a 401", async () => {
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

test("GET /api/userinfo refreshes again when the last refresh is an hour ago", async () => {
  const { user, browser } = await signInRefused();
  await userinfo(browser);
  janus.clock.advance(3_600);
  janus.discord.expireAccessTokens(user);

  expect((await userinfo(browser)).status).toBe(200);
  expect(refreshesOf(user)).toBe(2);
});

test("GET /api/userinfo ends a session with a refused token and no refresh token", async () => {
  const user = newUser();
  const browser = await linkMember(janus, user);
  janus.discord.expireAccessTokens(user);

  const response = await userinfo(browser);

  expect(response.status).toBe(401);
  expect(await sessionsOf(janus, user)).toEqual([]);
  expect(refreshesOf(user)).toBe(0);
});

test("findMember() uses the token that another process has already refreshed", async () => {
  const { user, browser } = await signInRefused();
  const stale = await openSession(janus.deps, [secretsOf(janus, browser)]);
  await userinfo(browser);

  const member = await findMember(anotherProcess(), stale);

  expect(member.discordUserId).toBe(user);
  expect(refreshesOf(user)).toBe(1);
});
