/** Grants that are over at Discord: Janus stores the end, asks nothing more with them, and a sign-in revives the link. */

import { describe, expect, test } from "bun:test";
import { resealToken } from "../../lib/grants/sealing.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, rowsOfMember, trailOf } from "../harness/rows.ts";
import { operationsOf } from "../harness/seen.ts";
import { callApi, signIn as signInAtDiscord } from "../harness/sign_in.ts";
import { linkMember, newUser, reachForgerCallback, walkDiscordLeg } from "../harness/walk.ts";
import { UNAUTHORIZED } from "../standins/discord_faults.ts";

const DAY_SECONDS = 86_400;
const INVALID_REQUEST = { status: 400, body: '{"error":"invalid_request"}' };

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database }));

async function link(user = newUser()): Promise<string> {
  janus.provider.signInAs({ sub: `sub-of-${user}` });
  await linkMember(janus, user);
  return user;
}

/** So many days go by, with upkeep every eight hours. */
async function passDays(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 8) {
    janus.clock.advance(8 * 3_600);
    await runUpkeep(janus.deps);
  }
}

/** Makes a push due at once. */
const makePushDue = (user: string) =>
  database.rows(`update link set push_due_at = linked_at where discord_user_id = '${user}'`);

const callsSince = (before: number) => operationsOf(janus, before);

describe("a grant that the member has revoked", () => {
  test("is stored as ended by upkeep's refresh, and never asked again", async () => {
    const user = await link();
    janus.discord.endGrant(user);
    await passDays(7);
    const ended = await discordTokenOf(janus, user);
    const before = janus.discord.calls.length;

    await makePushDue(user);
    await passDays(40);

    expect(ended).toMatchObject({
      endedAt: expect.any(Date),
      endCause: "invalid_grant",
      leasedUntil: null,
      refreshUnansweredSince: null,
    });
    expect(callsSince(before)).toEqual([]);
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null, lossDueAt: null });
    const trail = await trailOf(janus, user);
    expect(trail.filter((action) => action === "discord_grant_refused")).toHaveLength(1);
    expect(trail.filter((action) => action === "push_failed")).toHaveLength(1);
  });

  test("is found by a push, which asks for one refresh", async () => {
    const user = await link();
    await passDays(1);
    janus.discord.endGrant(user);
    const before = janus.discord.calls.length;

    await makePushDue(user);
    await passDays(3);

    expect(callsSince(before)).toEqual(["put_role_connection", "token_refresh"]);
    expect(await discordTokenOf(janus, user)).toMatchObject({ endCause: "invalid_grant" });
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null });
  });

  test("is revived by the Discord leg alone, whose tokens push at once", async () => {
    const user = await link();
    janus.discord.endGrant(user);
    await passDays(7);

    await walkDiscordLeg(janus, user);
    const revived = await discordTokenOf(janus, user);
    const before = janus.discord.calls.length;
    await runUpkeep(janus.deps);

    expect(revived).toMatchObject({ endedAt: null, endCause: null, refreshRefusals: 0 });
    expect(callsSince(before)).toContain("put_role_connection");
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null, pushFailures: 0 });
  });

  test("keeps no loss waiting that Discord cannot be told", async () => {
    const user = await link();
    janus.discord.endGrant(user);
    await passDays(7);
    await database.rows(
      `update link set pushed_metadata = '{"dsek_member": "1", "gone": "1"}' where discord_user_id = '${user}'`,
    );
    await database.rows(`update organisation_account set claims = '{}'`);

    await passDays(3);

    expect(await linkOf(janus, user)).toMatchObject({ lossFoundAt: null, lossDueAt: null, pushDueAt: null });
  });

  test("ends without a call when the member unlinks", async () => {
    const user = await link();
    janus.discord.endGrant(user);
    await passDays(7);
    const before = janus.discord.calls.length;

    const browser = await signInAtDiscord(janus, user);
    const sinceSignIn = janus.discord.calls.length;
    await callApi(janus, "/api/link", { browser, method: "DELETE" });
    await runUpkeep(janus.deps);

    expect(sinceSignIn).toBeGreaterThan(before);
    expect(callsSince(sinceSignIn)).not.toContain("token_refresh");
    expect(callsSince(sinceSignIn)).not.toContain("delete_role_connection");
    expect(await rowsOfMember(janus, "link", user)).toEqual([]);
    expect(await rowsOfMember(janus, "discord_token", user)).toEqual([]);
  });

  test("tells the member to sign in again, and their page is right after that", async () => {
    const user = await link();
    janus.discord.endGrant(user);
    await passDays(7);
    const browser = await signInAtDiscord(janus, user);

    const seen = (await (await callApi(janus, "/api/userinfo", { browser })).json()) as {
      readonly link: { readonly sync: Readonly<Record<string, unknown>> };
      readonly role: { readonly status: string };
    };
    const page = textOf(await (await browser.get("/account")).text());
    const again = createBrowser(janus.url);
    await again.get(await reachForgerCallback(again, user));
    const after = await (await callApi(janus, "/api/userinfo", { browser: again })).json();

    expect(seen.link.sync).toMatchObject({ state: "discord_ended", since: expect.any(String) });
    expect(seen.role.status).toBe("discord_ended");
    expect(page).toContain("Sign in again");
    expect(after).toMatchObject({ link: { sync: { state: "checked" } }, role: { status: "discord_told" } });
  });
});

describe("a refresh that Discord answers with invalid_request", () => {
  test("ends the grant at the third time in a row, and not before", async () => {
    const user = await link();
    janus.discord.failNext("token_refresh", INVALID_REQUEST, 3);
    janus.clock.advance(6.5 * DAY_SECONDS);
    const causes: unknown[] = [];

    for (let time = 0; time < 3; time += 1) {
      await runUpkeep(janus.deps);
      causes.push((await discordTokenOf(janus, user))?.endCause);
      janus.clock.advance(3_700);
    }
    const before = janus.discord.calls.length;
    await passDays(3);

    expect(causes).toEqual([null, null, "invalid_request"]);
    expect(callsSince(before)).toEqual([]);
  });

  test("counts no more once a refresh went well", async () => {
    const user = await link();
    janus.discord.failNext("token_refresh", INVALID_REQUEST, 2);
    janus.clock.advance(6.5 * DAY_SECONDS);

    for (let time = 0; time < 3; time += 1) {
      await runUpkeep(janus.deps);
      janus.clock.advance(3_700);
    }

    expect(await discordTokenOf(janus, user)).toMatchObject({ refreshRefusals: 0, endedAt: null });
  });
});

test("a grant whose refresh token was spent by a lost answer ends as unanswered", async () => {
  const user = await link();
  janus.clock.advance(6.5 * DAY_SECONDS);
  janus.discord.failNext("token_refresh", "lost");
  await runUpkeep(janus.deps);
  await passDays(1);
  const ended = await discordTokenOf(janus, user);
  const before = janus.discord.calls.length;

  await passDays(5);

  expect(ended).toMatchObject({ endCause: "unanswered", endedAt: expect.any(Date) });
  expect(callsSince(before)).toEqual([]);
});

describe("a 401 for a token that Discord has just given", () => {
  test("is marked and answered by no other refresh", async () => {
    const user = await link();
    await passDays(1);
    const before = janus.discord.calls.length;
    janus.discord.failNext("put_role_connection", UNAUTHORIZED, 100);

    await makePushDue(user);
    await passDays(3);
    const calls = callsSince(before);
    const marked = await linkOf(janus, user);

    expect(calls.filter((operation) => operation === "token_refresh")).toHaveLength(1);
    expect(calls.filter((operation) => operation === "put_role_connection").length).toBeWithin(5, 12);
    expect(marked).toMatchObject({ tokenRefusedAt: expect.any(Date), pushDueAt: expect.any(Date) });
    expect(await discordTokenOf(janus, user)).toMatchObject({ endedAt: null });
  });

  test("is told from one that was sealed again meanwhile, which a refresh replaces", async () => {
    const user = await link();
    await passDays(1);
    const refused = janus.discord.gate("put_role_connection", "request");
    janus.discord.failNext("put_role_connection", UNAUTHORIZED, 1);
    await makePushDue(user);
    const pushing = passDays(0.01);
    await refused.arrived;
    const row = await discordTokenOf(janus, user);
    const sealed = resealToken(janus.deps, {
      kind: "discord_token.access_token",
      owner: user,
      subject: null,
      sealed: String(row?.accessTokenSealed),
    });
    await janus.database.rows(
      `update discord_token set access_token_sealed = '${sealed}' where discord_user_id = '${user}'`,
    );
    const before = janus.discord.calls.length;

    refused.release();
    await pushing;

    expect(callsSince(before)).toEqual(expect.arrayContaining(["token_refresh", "put_role_connection"]));
    expect(await linkOf(janus, user)).toMatchObject({ tokenRefusedAt: null, pushDueAt: null });
  });

  test("is forgotten once Discord takes a push", async () => {
    const user = await link();
    await passDays(1);
    janus.discord.failNext("put_role_connection", UNAUTHORIZED, 2);
    await makePushDue(user);
    await passDays(0.3);
    const marked = await linkOf(janus, user);

    await passDays(2);

    expect(marked).toMatchObject({ tokenRefusedAt: expect.any(Date) });
    expect(await linkOf(janus, user)).toMatchObject({
      tokenRefusedAt: null,
      pushFailures: 0,
      pushDueAt: null,
    });
  });

  test("costs no refresh right after a sign-in", async () => {
    const user = await link();
    const before = janus.discord.calls.length;
    janus.discord.failNext("put_role_connection", UNAUTHORIZED);

    await makePushDue(user);
    await runUpkeep(janus.deps);

    expect(callsSince(before)).toEqual(["put_role_connection"]);
    expect(await linkOf(janus, user)).toMatchObject({ tokenRefusedAt: expect.any(Date) });
  });
});
