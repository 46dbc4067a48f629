/**
 * A refresh that the provider refuses, or asks to send later: whatever makes the link due, the token waits for its time.
 * docs/decisions/0045
 */
import { describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { checkDueLinks, checkMember } from "../../lib/sync/check_round.ts";
import { askHook, HOOK_SECRET } from "../fixtures/hook.ts";
import { startReplicaBeside } from "../fixtures/year_replica.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf, organisationTokenOf, setOfLink } from "../harness/rows.ts";
import { callApi } from "../harness/sign_in.ts";
import { linkMember, newUser, subjectOf } from "../harness/walk.ts";

const INVALID_REQUEST = { status: 400, body: '{"error":"invalid_request"}' };
const LATER = { status: 429, body: "{}", headers: { "retry-after": "900" } };

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database, environment: { HOOK_SECRET } }));

async function link() {
  const user = newUser();
  janus.provider.signInAs({ sub: subjectOf(user), preferred_username: "anna" });
  const browser = await linkMember(janus, user);
  janus.clock.advance(61);
  return { user, browser };
}

const sent = () => janus.provider.sentRefreshTokens.length;
const tokenOf = (user: string) => organisationTokenOf(janus, subjectOf(user));
const ring = (user: string) => askHook(janus, { subjects: [subjectOf(user)] });
/** Another process: it makes no pause for what this one has met. */
const startOther = () => startReplicaBeside(janus, database).deps;

/** A hook rings, and upkeep of a process that has met nothing comes at once. */
async function ringAndCheck(user: string): Promise<void> {
  await ring(user);
  await runUpkeep(startOther());
}

const inSeconds = (seconds: number): Date => new Date(janus.clock.now().getTime() + seconds * 1_000);

describe("a refresh that the provider answers with invalid_request", () => {
  test("is sent once, though a hook rings ten times within the hour", async () => {
    const { user } = await link();
    janus.provider.failNext("token_refresh", INVALID_REQUEST, 100);
    const before = sent();

    for (let time = 0; time < 10; time += 1) {
      await ringAndCheck(user);
      await checkMember(janus.deps, user);
      janus.clock.advance(350);
    }

    expect(sent() - before).toBe(1);
    expect(await tokenOf(user)).toMatchObject({
      endedAt: null,
      refreshRefusals: 1,
      refreshUnansweredSince: null,
      refreshRetryAt: expect.any(Date),
    });
    // Nothing was sent, so the stored cause stays, and no failure is counted.
    expect(await linkOf(janus, user)).toMatchObject({ checkFailures: 1, checkFailedCode: "refresh_refused" });
  });

  test("ends the grant at the third time, an hour apart each", async () => {
    const { user } = await link();
    janus.provider.failNext("token_refresh", INVALID_REQUEST, 100);
    const before = sent();
    const ends: unknown[] = [];

    for (let hour = 0; hour < 3; hour += 1) {
      for (let minute = 0; minute < 60; minute += 10) {
        await ring(user);
        await runUpkeep(janus.deps);
        janus.clock.advance(605);
      }
      ends.push([sent() - before, (await tokenOf(user))?.endCause]);
    }

    expect(ends).toEqual([
      [1, null],
      [2, null],
      [3, "invalid_request"],
    ]);
  });

  test("comes again by itself after an hour, and is forgotten once it went well", async () => {
    const { user } = await link();
    janus.provider.failNext("token_refresh", INVALID_REQUEST);
    const before = sent();
    await ringAndCheck(user);

    janus.clock.advance(3_590);
    await runUpkeep(janus.deps);
    const early = sent() - before;
    janus.clock.advance(20);
    await runUpkeep(janus.deps);

    expect([early, sent() - before]).toEqual([1, 2]);
    expect(await tokenOf(user)).toMatchObject({ refreshRefusals: 0, refreshRetryAt: null });
  });

  test("is not sent for a member who asks within the hour: the claims are the earlier ones", async () => {
    const { user, browser } = await link();
    janus.provider.failNext("token_refresh", INVALID_REQUEST, 100);
    const before = sent();
    await ringAndCheck(user);

    const answer = await callApi(janus, "/api/link/sync", { browser, method: "POST" });

    expect(await answer.json()).toMatchObject({ result: "provider_silent" });
    expect(sent() - before).toBe(1);
    expect(await tokenOf(user)).toMatchObject({ refreshRefusals: 1 });
  });

  test("is forgotten when the member signs in again", async () => {
    const { user } = await link();
    janus.provider.failNext("token_refresh", INVALID_REQUEST);
    await ringAndCheck(user);
    const before = sent();

    await linkMember(janus, user);
    const stored = await tokenOf(user);
    await ringAndCheck(user);

    expect(stored).toMatchObject({ refreshRefusals: 0, refreshRetryAt: null });
    expect(sent() - before).toBe(1);
  });

  test("holds back no other link, and does not end the pause of an outage", async () => {
    const [refused, other, another] = [await link(), await link(), await link()];
    janus.provider.failNext("token_refresh", INVALID_REQUEST);
    await ringAndCheck(refused.user);
    janus.provider.failNext("token_refresh", { status: 503, body: "" });
    const replica = startOther();
    const before = sent();
    for (const { user } of [refused, other, another]) await ring(user);
    await setOfLink(janus, "link", "check_due_at = linked_at", refused.user);

    const met = await checkDueLinks(replica);
    const sentInOutage = sent() - before;
    const during = await checkDueLinks(replica);
    janus.clock.advance(121);
    await checkDueLinks(replica);

    expect(met).toMatchObject({ claimed: 2, metOutage: true });
    expect([sentInOutage, during.claimed]).toEqual([1, 0]);
    expect(sent() - before).toBe(3);
  });

  test("makes no other link wait for the next turn of upkeep, however many tokens wait", async () => {
    const waiting: string[] = [];
    for (let count = 0; count < 21; count += 1) waiting.push((await link()).user);
    const { user } = await link();
    const retryAt = inSeconds(3_000).toISOString();
    for (const one of waiting)
      await setOfLink(
        janus,
        "organisation_token",
        `refresh_retry_at = '${retryAt}', refresh_refusals = 1`,
        one,
      );
    for (const one of waiting) await setOfLink(janus, "link", "check_due_at = linked_at", one);
    await ring(user);
    const before = sent();

    await runUpkeep(startOther());

    expect(sent() - before).toBe(1);
  });
});

describe("a refresh that the provider asks to send later", () => {
  test("waits for that time, though hooks ring and another process knows nothing of it", async () => {
    const { user } = await link();
    janus.provider.failNext("token_refresh", LATER);
    const before = sent();
    await ringAndCheck(user);

    for (let time = 0; time < 4; time += 1) {
      janus.clock.advance(220);
      await ringAndCheck(user);
      await checkMember(startOther(), user);
    }
    const early = sent() - before;
    janus.clock.advance(25);
    await ringAndCheck(user);

    expect([early, sent() - before]).toEqual([1, 2]);
    expect(await linkOf(janus, user)).toMatchObject({ checkFailures: 0 });
  });

  test("may be sent for a member who asks", async () => {
    const { user, browser } = await link();
    janus.provider.failNext("token_refresh", LATER);
    const before = sent();
    await ringAndCheck(user);

    const answer = await callApi(janus, "/api/link/sync", { browser, method: "POST" });

    expect(await answer.json()).toMatchObject({ result: "up_to_date" });
    expect(sent() - before).toBe(2);
  });

  test("still waits for that time after a member's try that failed", async () => {
    const { user, browser } = await link();
    janus.provider.failNext("token_refresh", LATER);
    await ringAndCheck(user);
    const asked = (await tokenOf(user))?.refreshRetryAt;
    janus.provider.failNext("token_refresh", { status: 400, body: '{"error":"consent_required"}' });

    await callApi(janus, "/api/link/sync", { browser, method: "POST" });

    expect(asked).toEqual(expect.any(Date));
    expect((await tokenOf(user))?.refreshRetryAt).toEqual(asked);
  });
});

test("an ordinary outage holds no hook back: it is acted on as soon as the provider answers", async () => {
  const { user } = await link();
  janus.provider.failNext("token_refresh", { status: 503, body: "" });
  const before = sent();
  await ringAndCheck(user);
  const stored = await tokenOf(user);

  janus.clock.advance(1);
  await ringAndCheck(user);

  expect(stored).toMatchObject({ refreshRetryAt: null });
  expect(sent() - before).toBe(2);
  expect(await linkOf(janus, user)).toMatchObject({ checkFailures: 0 });
});

test("a round with no link to check ends the count of an outage: the next pause is short again", async () => {
  const { user } = await link();
  const replica = startOther();
  janus.provider.failNext("token_refresh", { status: 503, body: "" }, 4);
  for (let time = 0; time < 4; time += 1) {
    await ring(user);
    await checkDueLinks(replica);
    janus.clock.advance(1_000);
  }
  await ringAndCheck(user);
  await checkDueLinks(replica);
  janus.provider.failNext("token_refresh", { status: 503, body: "" });
  await ring(user);
  const met = await checkDueLinks(replica);
  janus.clock.advance(130);
  await ring(user);
  const before = sent();

  await checkDueLinks(replica);

  expect(met).toMatchObject({ metOutage: true });
  expect(sent() - before).toBe(1);
});

test.each([
  ["two days", 2 * 86_400],
  ["two hours", 7_300],
])("a refresh does not wait for a time that a clock which was %s ahead has written", async (_, seconds) => {
  const { user } = await link();
  const retryAt = inSeconds(seconds).toISOString();
  await setOfLink(janus, "organisation_token", `refresh_retry_at = '${retryAt}', refresh_refusals = 1`, user);
  const before = sent();

  await ringAndCheck(user);

  expect(sent() - before).toBe(1);
  expect(await tokenOf(user)).toMatchObject({ refreshRetryAt: null });
});
