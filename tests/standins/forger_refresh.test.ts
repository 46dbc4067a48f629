/** The forger's refreshes: rotation, reuse, expiry, disabled accounts, lost answers, and what it remembers of them. */
import { afterEach, describe, expect, test } from "bun:test";
import { decodeJwt } from "jose";
import { createClock } from "../harness/clock.ts";
import { authorizeAtForger, CALLBACK, CLIENT, paramsOf, tokenCall } from "./client.ts";
import type { ForgerOptions, ForgerStandin } from "./forger.ts";
import { createKey, startForger } from "./forger.ts";

const KEY = createKey("EdDSA");
const SUB = "sub-of-bo";
const BO = { sub: SUB, preferred_username: "bo", groups: ["members"] };

const started: ForgerStandin[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((forger) => forger.stop()));
});

function startWithBo(options: Partial<ForgerOptions> = {}) {
  const clock = createClock();
  const forger = startForger({
    ...CLIENT,
    redirectUris: [CALLBACK],
    key: KEY,
    now: clock.now,
    ...options,
  });
  started.push(forger);
  forger.setIdentity(BO);
  const first = forger.giveTokens(SUB);
  const refresh = (token: string) =>
    tokenCall(`${forger.url}/token`, { grant_type: "refresh_token", refresh_token: token });
  const userInfo = (token: string) =>
    fetch(`${forger.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
  return { forger, clock, first, refresh, userInfo };
}

/** The answer to a refresh, as far as the tests read it. */
type Answer = {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly expires_in: number;
};
const answerOf = async (response: Response) => (await response.json()) as Answer;
const errorOf = async (response: Response) => {
  const { error } = (await response.json()) as { readonly error?: string };
  return `${response.status} ${error}`;
};

describe("a refresh at the forger", () => {
  test("spends its token, and the second use is refused and remembered", async () => {
    const { forger, first, refresh } = startWithBo();

    const second = await answerOf(await refresh(first.refreshToken));
    const reused = await errorOf(await refresh(first.refreshToken));

    expect(reused).toBe("400 invalid_grant");
    expect(forger.liveRefreshTokens(SUB)).toEqual([second.refresh_token ?? ""]);
    expect(forger.sentRefreshTokens.map(({ sub, outcome }) => `${sub} ${outcome}`)).toEqual([
      `${SUB} spent`,
      `${SUB} refused`,
    ]);
    expect(forger.sentAgain).toEqual([first.refreshToken]);
    expect(forger.calls).toEqual(["token_refresh", "token_refresh"]);
  });

  test("gives tokens again for a lost answer, where it is told to", async () => {
    const { forger, first, refresh } = startWithBo();
    forger.override({ forgivesLostAnswers: true });

    const lost = await answerOf(await refresh(first.refreshToken));
    const again = await answerOf(await refresh(first.refreshToken));
    const followed = await refresh(again.refresh_token ?? "");
    const late = await errorOf(await refresh(first.refreshToken));

    expect(forger.isLive(lost.refresh_token ?? "")).toBe(false);
    expect(followed.status).toBe(200);
    expect(late).toBe("400 invalid_grant");
    expect(forger.sentAgain).toEqual([first.refreshToken, first.refreshToken]);
  });

  test("ends the whole grant at the second use, where it is told to", async () => {
    const { forger, first, refresh, userInfo } = startWithBo({ reuseEndsGrant: true });
    const other = forger.giveTokens(SUB);
    const second = await answerOf(await refresh(first.refreshToken));

    await refresh(first.refreshToken);

    expect(await errorOf(await refresh(second.refresh_token ?? ""))).toBe("400 invalid_grant");
    expect((await userInfo(second.access_token)).status).toBe(401);
    expect(forger.liveRefreshTokens()).toEqual([other.refreshToken]);
  });

  test("keeps its token in use where nothing is rotated", async () => {
    const { forger, first, refresh } = startWithBo();
    forger.override({ rotatesRefreshTokens: false });

    const answers = [
      await answerOf(await refresh(first.refreshToken)),
      await answerOf(await refresh(first.refreshToken)),
    ];

    expect(answers.map(({ refresh_token }) => refresh_token)).toEqual([undefined, undefined]);
    expect(forger.sentRefreshTokens.map(({ outcome }) => outcome)).toEqual(["kept", "kept"]);
    expect(forger.sentAgain).toEqual([]);
  });

  test("is refused once the refresh token has run out, and UserInfo once the access token has", async () => {
    const { clock, first, refresh, userInfo } = startWithBo({
      accessTokenSeconds: 60,
      refreshTokenSeconds: 600,
    });

    const statuses = [(await userInfo(first.accessToken)).status];
    clock.advance(61);
    statuses.push((await userInfo(first.accessToken)).status);
    const second = await answerOf(await refresh(first.refreshToken));
    clock.advance(601);

    expect(statuses).toEqual([200, 401]);
    expect(second.expires_in).toBe(60);
    expect(await errorOf(await refresh(second.refresh_token ?? ""))).toBe("400 invalid_grant");
  });

  test("spends its token though the answer is lost, and not where a fault answers", async () => {
    const { forger, first, refresh } = startWithBo();

    forger.failNext("token_refresh", { status: 503 });
    await refresh(first.refreshToken);
    const liveAfterFault = forger.isLive(first.refreshToken);
    forger.failNext("token_refresh", "lost");
    await expect(refresh(first.refreshToken).then((response) => response.text())).rejects.toThrow();

    expect(liveAfterFault).toBe(true);
    expect(forger.isLive(first.refreshToken)).toBe(false);
    expect(forger.liveRefreshTokens(SUB)).toHaveLength(1);
    expect(forger.sentRefreshTokens.map(({ outcome }) => outcome)).toEqual(["unread", "spent"]);
    expect(forger.sentAgain).toEqual([]);
  });

  test("is refused while the account is disabled, and not afterwards", async () => {
    const { forger, first, refresh, userInfo } = startWithBo();
    forger.signInAs(BO);

    forger.setDisabled(SUB, true);
    const whileDisabled = [
      await errorOf(await refresh(first.refreshToken)),
      await errorOf(await userInfo(first.accessToken)),
      paramsOf(await authorizeAtForger(`${forger.url}/authorize`)).error,
    ];
    forger.setDisabled(SUB, false);

    expect(whileDisabled).toEqual(["400 invalid_grant", "401 invalid_token", "access_denied"]);
    expect((await refresh(first.refreshToken)).status).toBe(200);
  });

  test("forgets dead tokens, brings no ID Token and tells new claims, as it is told", async () => {
    const { forger, first, refresh } = startWithBo();
    forger.setIdentity({ ...BO, groups: [] });

    const second = await answerOf(await refresh(first.refreshToken));
    forger.override({ refreshBringsIdToken: false, forgetsDeadTokens: true });
    const third = await answerOf(await refresh(second.refresh_token ?? ""));
    const dead = [
      await errorOf(await refresh(first.refreshToken)),
      await errorOf(await refresh(first.refreshToken)),
    ];

    expect(decodeJwt(second.id_token ?? "")).toMatchObject({ sub: SUB, groups: [] });
    expect(decodeJwt(second.id_token ?? "")).not.toHaveProperty("nonce");
    expect(third.id_token).toBeUndefined();
    expect(dead).toEqual(["400 invalid_grant", "400 invalid_request"]);
  });
});

describe("forger.fetch()", () => {
  const [id, secret] = [CLIENT.clientId, CLIENT.clientSecret].map(encodeURIComponent);
  const formOf = (token: string): RequestInit => ({
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: token }),
  });

  test("refreshes a thousand members month by month, and keeps their living tokens alone", async () => {
    const { forger, clock } = startWithBo();
    forger.override({ refreshBringsIdToken: false });
    forger.endGrant(SUB);
    const members = Array.from({ length: 1_000 }, (_, index) => `subject-${index}`);
    const held = new Map(members.map((sub) => [sub, forger.giveTokens(sub).refreshToken]));

    for (let month = 0; month < 3; month += 1) {
      clock.advance(30 * 86_400);
      for (const [sub, token] of held) {
        const answer = await answerOf(await forger.fetch(`${forger.url}/token`, formOf(token)));
        held.set(sub, answer.refresh_token ?? "");
      }
    }

    expect(forger.liveRefreshTokens().toSorted()).toEqual([...held.values()].toSorted());
    expect(forger.sentRefreshTokens).toHaveLength(3_000);
    expect(forger.sentAgain).toEqual([]);
  });

  test("loses answers and leaves calls without one, as a socket does", async () => {
    const { forger, first } = startWithBo();
    const ask = (init: RequestInit = {}) =>
      forger.fetch(`${forger.url}/token`, { ...formOf(first.refreshToken), ...init });
    const late = new AbortController();

    forger.failNext("token_refresh", "hang");
    const hung = ask({ signal: late.signal });
    late.abort(new Error("too late"));
    await expect(hung).rejects.toThrow("too late");
    forger.failNext("token_refresh", "lost");
    const lost = await ask();

    expect(await lost.text().catch(() => "lost")).toBe("lost");
    expect(forger.isLive(first.refreshToken)).toBe(false);
  });

  test("tells the director whose refresh it is", async () => {
    const { forger, first } = startWithBo();
    const other = forger.giveTokens("sub-of-cleo");
    forger.direct({
      choose: ({ userId }) => (userId === SUB ? { status: 503 } : undefined),
      done: () => undefined,
    });

    const statuses = [first, other].map(async ({ refreshToken }) => {
      const answer = await forger.fetch(`${forger.url}/token`, formOf(refreshToken));
      return answer.status;
    });

    expect(await Promise.all(statuses)).toEqual([503, 200]);
  });
});
