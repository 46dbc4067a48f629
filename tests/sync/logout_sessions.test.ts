/** Which sessions a logout at the provider ends: of whom, and begun until when. */
import { beforeEach, describe, expect, test } from "bun:test";
import { CLOCK_SKEW_SECONDS } from "../../lib/oidc/keys.ts";
import { logoutClaims, sendLogout } from "../fixtures/logout.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { sessionsOf as findSessions, trailOf as findTrail } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { linkMember, moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";
import { createKey, signToken } from "../standins/forger_tokens.ts";

const KEY = createKey("ES256", "es-1");
/** As late as a token that a provider sends once more. */
const LATE_SECONDS = 300;

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, forger: { key: KEY } }));
beforeEach(async () => {
  janus.clock.advance(3_700);
  await database.rows("delete from link");
});

/** A member who is linked and signed in, with the provider's session. */
async function link(sid?: string) {
  const user = newUser();
  const sub = `subject-of-${user}`;
  janus.provider.signInAs({ sub, preferred_username: "anna", ...(sid === undefined ? {} : { sid }) });
  await linkMember(janus, user);
  return { user, sub };
}

const tokenOf = (sub: string, change: Readonly<Record<string, unknown>> = {}): string =>
  signToken(
    { ...logoutClaims(janus.provider.issuer, janus.clock.now(), sub), ...change },
    { typ: "logout+jwt" },
    KEY,
  );
const sessionsOf = (user: string) => findSessions(janus, user);
const trailOf = (user: string) => findTrail(janus, user);

describe("a logout at the provider", () => {
  test("that names only a session finds its member", async () => {
    const { user } = await link("session-of-anna");
    const { user: neighbour } = await link("session-of-bo");

    const token = tokenOf("", { sub: undefined, sid: "session-of-anna" });
    const response = await sendLogout(janus.url, token);

    expect(response.status).toBe(200);
    expect(await sessionsOf(user)).toEqual([]);
    expect(await sessionsOf(neighbour)).toHaveLength(1);
  });

  test("that names only a session finds the member whose last link flow was in it", async () => {
    const [earlier, later] = [crypto.randomUUID(), crypto.randomUUID()];
    const { user, sub } = await link(earlier);
    janus.provider.signInAs({ sub, preferred_username: "anna", sid: later });
    await linkMember(janus, user);
    const sent = async (sid: string) => {
      await sendLogout(janus.url, tokenOf("", { sub: undefined, sid }));
      return linesOf(janus, "event_received").at(-1)?.outcome;
    };

    const outcomes = [await sent(earlier), await sent(later)];

    expect(outcomes).toEqual(["ignored", "rechecked"]);
    expect(await sessionsOf(user)).toEqual([]);
  });

  test("that names only a session finds the account that is moved to another member", async () => {
    const sid = crypto.randomUUID();
    const { sub } = await link();
    const other = newUser();
    janus.provider.signInAs({ sub, preferred_username: "anna", sid });
    const browser = createBrowser(janus.url);
    const question = await browser.get(await reachForgerCallback(browser, other));
    await browser.post("/link/move", { state: moveStateIn(await question.text()) });

    await sendLogout(janus.url, tokenOf("", { sub: undefined, sid }));

    expect(await trailOf(other)).toEqual(expect.arrayContaining(["link_moved", "provider_logout"]));
    expect(await sessionsOf(other)).toEqual([]);
  });

  test.each([
    ["sub", {}],
    ["sid", { sub: undefined }],
    ["sub and sid", {}],
  ])("that comes late, by %s, ends the sessions that began before it and no other", async (named, change) => {
    const sid = `session-${crypto.randomUUID()}`;
    const { user, sub } = await link(sid);
    const token = tokenOf(sub, { ...change, exp: undefined, ...(named === "sub" ? {} : { sid }) });
    janus.clock.advance(LATE_SECONDS);
    const browser = await signIn(janus, user);
    const before = await sessionsOf(user);

    const response = await sendLogout(janus.url, token);

    expect([response.status, before.length]).toEqual([200, 2]);
    expect(await sessionsOf(user)).toHaveLength(1);
    expect((await callApi(janus, "/api/userinfo", { browser })).status).toBe(200);
    expect(await trailOf(user)).toContain("provider_logout");
  });

  test.each([
    ["behind", CLOCK_SKEW_SECONDS, 0],
    ["ahead", -CLOCK_SKEW_SECONDS, 0],
    ["further behind than a clock may be", CLOCK_SKEW_SECONDS + 2, 1],
  ])("ends a session of this moment if the provider's clock is %s", async (_, seconds, left) => {
    const { user, sub } = await link();
    const { iat } = logoutClaims("", janus.clock.now(), sub);

    await sendLogout(janus.url, tokenOf(sub, { iat: Number(iat) - seconds, exp: undefined }));

    expect(await sessionsOf(user)).toHaveLength(left);
  });
});
