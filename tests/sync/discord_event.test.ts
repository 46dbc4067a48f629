/** Discord's events: what a member's removal of Janus ends, what it does not, and what other events do. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { receiveDiscordEvent } from "../../lib/sync/discord_event.ts";
import { pushDueLinks } from "../../lib/sync/push.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { createShared } from "../../lib/wiring.ts";
import type { EventRequest } from "../fixtures/discord_events.ts";
import {
  DISCORD_PUBLIC_KEY,
  deauthorization,
  PING,
  sendEvent,
  signEvent,
} from "../fixtures/discord_events.ts";
import { secondsOf } from "../fixtures/hook.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, DISCORD_CLIENT_ID, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import {
  discordTokenOf,
  linkOf,
  organisationTokenOf,
  rowsOf,
  sessionsOf,
  setOfLink,
  trailOf,
} from "../harness/rows.ts";
import { operationsOf } from "../harness/seen.ts";
import { callApi, signIn as signInAtDiscord } from "../harness/sign_in.ts";
import { linkMember, newUser, reachForgerCallback, subjectOf, walkDiscordLeg } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, environment: { DISCORD_PUBLIC_KEY } }));
/** No pause is left. */
beforeEach(() => {
  janus.provider.reset();
  janus.clock.advance(3_700);
});

async function signIn(user: string): Promise<Browser> {
  janus.provider.signInAs({ sub: subjectOf(user), preferred_username: "anna" });
  return linkMember(janus, user);
}

async function linked(): Promise<string> {
  const user = newUser();
  await signIn(user);
  return user;
}

/** The member removes Janus in Discord's settings: no token of theirs works any more, and Discord says so. */
async function removeJanus(
  user: string,
  given: EventRequest & { readonly at?: Date } = {},
): Promise<Response> {
  const { at = janus.clock.now(), ...request } = given;
  janus.discord.endGrant(user);
  return sendEvent(janus, deauthorization(user, at), request);
}

const secondsAgo = (seconds: number): Date => new Date(janus.clock.now().getTime() - seconds * 1_000);

function watchEvents() {
  const before = janus.logLines.length;
  return () =>
    janus.logLines
      .slice(before)
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === "event_received")
      .map(({ source, outcome, discordUserId }) => ({ source, outcome, discordUserId }));
}

describe("POST /discord/events", () => {
  test("does not exist without DISCORD_PUBLIC_KEY", async () => {
    const closed = await startJanusWithForger({ database });
    try {
      expect((await sendEvent(closed, PING)).status).toBe(404);
    } finally {
      await closed.stop();
    }
  });

  test("answers Discord's question with 204, no content and a content type", async () => {
    const eventsSince = watchEvents();

    const response = await sendEvent(janus, PING);

    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(eventsSince()).toEqual<unknown>([{ source: "discord", outcome: "answered" }]);
  });

  test("answers a GET with 405", async () => {
    expect((await fetch(`${janus.url}/discord/events`)).status).toBe(405);
  });

  const stale = () => secondsOf(secondsAgo(301));
  test.each<readonly [string, () => EventRequest]>([
    ["without a signature", () => ({ headers: { "x-signature-ed25519": "" } })],
    ["of another key", () => ({ isOurs: false })],
    ["that was signed long ago", () => ({ timestamp: stale() })],
    ["of the future", () => ({ timestamp: secondsOf(secondsAgo(-305)) })],
    ["with another timestamp", () => ({ headers: { "x-signature-timestamp": secondsOf(secondsAgo(1)) } })],
    ["with a signature of zeros", () => ({ headers: { "x-signature-ed25519": "0".repeat(128) } })],
  ])("refuses an event %s with 401, and nothing changes", async (_, given) => {
    const user = await linked();
    const eventsSince = watchEvents();

    const response = await sendEvent(janus, deauthorization(user, janus.clock.now()), given());

    expect([response.status, await response.text()]).toEqual([401, ""]);
    expect(await discordTokenOf(janus, user)).toMatchObject({ endedAt: null });
    expect(await sessionsOf(janus, user)).toHaveLength(1);
    expect(eventsSince()).toEqual<unknown>([{ source: "discord", outcome: "refused" }]);
  });

  const event = (change: object) => {
    const right = deauthorization("200000000000000001", new Date());
    return { ...right, event: { ...right.event, ...change } };
  };
  test.each<readonly [string, unknown]>([
    ["no JSON", "{"],
    ["nothing", ""],
    ["a list", []],
    ["null", null],
    ["no application", { type: 0 }],
    ["no type", { application_id: DISCORD_CLIENT_ID }],
    ["a type as a text", { application_id: DISCORD_CLIENT_ID, type: "PING" }],
    ["no event", { application_id: DISCORD_CLIENT_ID, type: 1 }],
    ["an event without a type", { application_id: DISCORD_CLIENT_ID, type: 1, event: {} }],
    ["no time", event({ timestamp: undefined })],
    ["a time that is none", event({ timestamp: "yesterday" })],
    ["a time that does not exist", event({ timestamp: "2026-13-45T25:61:61" })],
    ["a time as a number", event({ timestamp: 1_700_000_000 })],
    ["no user", event({ data: {} })],
    ["a user without an id", event({ data: { user: {} } })],
    ["a user's id as a number", event({ data: { user: { id: 2000000000 } } })],
    ["a user's id that is none", event({ data: { user: { id: "1; drop table link" } } })],
    ["a user's id that is too long", event({ data: { user: { id: "1".repeat(21) } } })],
  ])("refuses %s with 400, though it is signed", async (_, payload) => {
    const eventsSince = watchEvents();

    const response = await sendEvent(janus, payload);

    expect(response.status).toBe(400);
    expect(eventsSince()).toEqual<unknown>([{ source: "discord", outcome: "refused" }]);
  });

  test.each<readonly [string, object]>([
    ["of an unknown type", event({ type: "SOMETHING_NEW", data: { anything: [1, { deep: null }] } })],
    ["of a member who authorizes", event({ type: "APPLICATION_AUTHORIZED" })],
    ["without data", event({ type: "QUEST_USER_ENROLLMENT", data: undefined })],
    ["of another application", { ...event({}), application_id: "2222222222222222222" }],
    ["of a later version", { ...event({ type: "ENTITLEMENT_CREATE" }), version: 2 }],
    ["of somebody whom Janus does not know", deauthorization("299999999999999999", new Date())],
  ])("acknowledges an event %s, and does nothing", async (_, payload) => {
    const eventsSince = watchEvents();
    const trail = (await rowsOf(janus, "audit_event")).length;

    const response = await sendEvent(janus, payload);

    expect(response.status).toBe(204);
    expect(eventsSince()).toEqual<unknown>([{ source: "discord", outcome: "ignored" }]);
    expect(await rowsOf(janus, "audit_event")).toHaveLength(trail);
  });

  test("refuses a body that is too large with 413, unread", async () => {
    expect((await sendEvent(janus, "x".repeat(300_000))).status).toBe(413);
  });
});

describe("a member who removes Janus at Discord", () => {
  test("has no tokens, no session and nothing due, and keeps the link", async () => {
    const user = await linked();
    await setOfLink(janus, "link", "push_due_at = now(), loss_found_at = now(), loss_due_at = now()", user);
    const eventsSince = watchEvents();

    const response = await removeJanus(user);

    expect(response.status).toBe(204);
    expect(await discordTokenOf(janus, user)).toMatchObject({
      accessTokenSealed: "",
      refreshTokenSealed: "",
      endCause: "deauthorized",
      endedAt: expect.any(Date),
      leasedUntil: null,
      clearDueAt: null,
    });
    expect(await sessionsOf(janus, user)).toEqual([]);
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null, lossFoundAt: null, lossDueAt: null });
    expect((await trailOf(janus, user)).at(-1)).toBe("deauthorized");
    expect(eventsSince()).toEqual([{ source: "discord", outcome: "deauthorized", discordUserId: user }]);
  });

  test("is never asked about again, neither at Discord nor at the provider", async () => {
    const user = await linked();
    await removeJanus(user);
    await runUpkeep(janus.deps);
    const [calls, refreshes] = [janus.discord.calls.length, janus.provider.sentRefreshTokens.length];

    for (let day = 0; day < 40; day += 1) {
      janus.clock.advance(86_400);
      await runUpkeep(janus.deps);
    }

    expect(operationsOf(janus, calls)).toEqual([]);
    expect(janus.provider.sentRefreshTokens).toHaveLength(refreshes);
    expect(await linkOf(janus, user)).toBeDefined();
  });

  test("has the provider's tokens revoked", async () => {
    const user = await linked();
    await signIn(user);
    expect(janus.provider.liveRefreshTokens(subjectOf(user))).toHaveLength(2);

    await removeJanus(user);
    await runUpkeep(janus.deps);

    expect(await organisationTokenOf(janus, subjectOf(user))).toBeUndefined();
    expect(janus.provider.liveRefreshTokens(subjectOf(user))).toEqual([]);
    expect(await rowsOf(janus, "stray_token")).toEqual([]);
  });

  test("has everything back after the whole flow", async () => {
    const user = await linked();
    await removeJanus(user);
    await runUpkeep(janus.deps);
    janus.clock.advance(60);

    const browser = await signIn(user);

    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
    expect(await discordTokenOf(janus, user)).toMatchObject({ endedAt: null, endCause: null });
    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({ endedAt: null });
    expect(await (await callApi(janus, "/api/userinfo", { browser })).json()).toMatchObject({
      link: { sync: { state: "checked" } },
    });
  });

  test("has the link told again by the Discord leg alone", async () => {
    const user = await linked();
    await removeJanus(user);
    janus.clock.advance(60);

    await walkDiscordLeg(janus, user);
    await runUpkeep(janus.deps);

    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
  });

  test("can sign in at Discord and unlink, which asks Discord nothing with the old tokens", async () => {
    const user = await linked();
    await removeJanus(user);
    janus.clock.advance(60);
    const browser = await signInAtDiscord(janus, user);
    const calls = janus.discord.calls.length;

    const response = await callApi(janus, "/api/link", { browser, method: "DELETE" });
    await runUpkeep(janus.deps);

    expect(await response.json()).toMatchObject({ ok: true });
    expect(await linkOf(janus, user)).toBeUndefined();
    expect(await discordTokenOf(janus, user)).toBeUndefined();
    expect(operationsOf(janus, calls)).not.toContain("delete_role_connection");
    expect(janus.logLines.join("\n")).not.toContain("grant_given_up");
  });

  test("who has signed in without a link loses the session", async () => {
    const user = newUser();
    await signInAtDiscord(janus, user);
    const eventsSince = watchEvents();

    await removeJanus(user);

    expect(await sessionsOf(janus, user)).toEqual([]);
    expect(eventsSince()).toMatchObject([{ outcome: "deauthorized", discordUserId: user }]);
  });

  test("in the middle of a flow starts again", async () => {
    const user = newUser();
    await walkDiscordLeg(janus, user);
    expect(await rowsOf(janus, "flow")).toHaveLength(1);

    await removeJanus(user);

    expect(await rowsOf(janus, "flow")).toEqual([]);
  });

  test("leaves the tokens of an account that somebody is about to move to themselves", async () => {
    const [anna, bo] = [await linked(), newUser()];
    janus.provider.signInAs({ sub: subjectOf(anna) });
    const browser = createBrowser(janus.url);
    expect((await browser.get(await reachForgerCallback(browser, bo))).status).toBe(409);

    await removeJanus(anna);

    expect(await discordTokenOf(janus, anna)).toMatchObject({ endCause: "deauthorized" });
    expect(await organisationTokenOf(janus, subjectOf(anna))).toBeDefined();
  });
});

describe("a deauthorization that comes late, or again", () => {
  test("does nothing to a grant that the member has given since", async () => {
    const user = await linked();
    const happened = secondsAgo(60);
    const eventsSince = watchEvents();

    const response = await sendEvent(janus, deauthorization(user, happened));

    expect(response.status).toBe(204);
    expect(await discordTokenOf(janus, user)).toMatchObject({ endedAt: null });
    expect(await sessionsOf(janus, user)).toHaveLength(1);
    expect(eventsSince()).toEqual<unknown>([{ source: "discord", outcome: "ignored" }]);
  });

  test("has no effect the second time, signed with another timestamp", async () => {
    const user = await linked();
    const at = janus.clock.now();
    await removeJanus(user, { at });
    const [before, trail] = [await discordTokenOf(janus, user), await trailOf(janus, user)];
    janus.clock.advance(200);
    const eventsSince = watchEvents();

    const response = await sendEvent(janus, deauthorization(user, at));

    expect(response.status).toBe(204);
    expect(await discordTokenOf(janus, user)).toEqual(before);
    expect(await trailOf(janus, user)).toEqual(trail);
    expect(eventsSince()).toMatchObject([{ outcome: "repeated", discordUserId: user }]);
  });

  test("has one effect at two processes at the same moment", async () => {
    const user = await linked();
    const { now, sleep } = janus.shared;
    const log = { ...NO_LOG, prepare: () => () => undefined };
    const configuration = { config: janus.config, rules: janus.shared.rules };
    const shared = createShared(configuration, database.db, {
      fetch,
      now,
      sleep,
      log,
      version: "0.0.0-test",
    });
    const replica = createApp(shared, UNHEARD);
    const body = JSON.stringify(deauthorization(user, janus.clock.now()));
    const headers = signEvent(body, janus.clock.now());
    const url = `${janus.url}/discord/events`;
    const eventsSince = watchEvents();

    const answers = await Promise.all(
      [0, 1, 2, 3].map((index) =>
        index % 2 === 0
          ? fetch(url, { method: "POST", headers, body })
          : replica.fetch(new Request(url, { method: "POST", headers, body })),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    expect((await trailOf(janus, user)).filter((action) => action === "deauthorized")).toHaveLength(1);
    expect(eventsSince()).toHaveLength(2);
  });

  test("ends a grant while a push is under way, and the push does not bring it back", async () => {
    const user = await linked();
    await setOfLink(janus, "link", "push_due_at = now() - interval '1 day'", user);
    const gate = janus.discord.gate("put_role_connection", "answer");
    const pushing = pushDueLinks(janus.deps);
    await gate.arrived;

    await removeJanus(user);
    gate.release();
    await pushing;

    expect(await discordTokenOf(janus, user)).toMatchObject({
      endCause: "deauthorized",
      accessTokenSealed: "",
    });
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null });
  });
});

test("receiveDiscordEvent() does not wait longer for the database than Discord does", async () => {
  const body = JSON.stringify(deauthorization(newUser(), janus.clock.now()));
  const headers = signEvent(body, janus.clock.now());
  const queries = {
    ...janus.deps.queries,
    receiveDeauthorization: () => new Promise<never>(() => undefined),
  };

  const received = receiveDiscordEvent({ ...janus.deps, queries }, Buffer.from(DISCORD_PUBLIC_KEY, "hex"), {
    signature: headers["x-signature-ed25519"],
    timestamp: headers["x-signature-timestamp"],
    body: Buffer.from(body),
  });

  await expect(received).rejects.toMatchObject({ code: "database_unavailable", status: 503 });
});
