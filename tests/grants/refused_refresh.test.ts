/**
 * A refresh that Discord answers with `invalid_request`: whatever asks for it, the same token is sent once an hour, so that an
 * outage of minutes ends no grant. docs/decisions/0045
 */
import { describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, setTime } from "../harness/rows.ts";
import { countOf } from "../harness/seen.ts";
import { callApi } from "../harness/sign_in.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const INVALID_REQUEST = { status: 400, body: '{"error":"invalid_request"}' };

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database }));

/** A member whose access token at Discord has run out. */
async function linkExpired() {
  const user = newUser();
  janus.provider.signInAs({ sub: `sub-of-${user}` });
  const browser = await linkMember(janus, user);
  janus.clock.advance(61);
  await setTime(janus, "discord_token", "expires_at", -1, user);
  return { user, browser };
}

const makePushDue = (user: string) =>
  database.rows(`update link set push_due_at = linked_at where discord_user_id = '${user}'`);
const makeEndDue = (user: string) =>
  database.rows(
    `update discord_token set end_reason = 'unlinked', end_due_at = obtained_at where discord_user_id = '${user}'`,
  );
const inSeconds = (seconds: number) =>
  `timestamptz '${new Date(janus.clock.now().getTime() + seconds * 1_000).toISOString()}'`;
const refreshes = () => countOf(janus, "token_refresh");

/** So many minutes go by, in each of which something asks for a refresh, and upkeep comes. */
async function passMinutes(minutes: number, ask: () => Promise<unknown>): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await ask();
    await runUpkeep(janus.deps);
    janus.clock.advance(60);
  }
}

describe("a refresh that Discord answers with invalid_request", () => {
  test("is sent once an hour for pushes that are due every minute, and ends the grant at the third", async () => {
    const { user } = await linkExpired();
    janus.discord.failNext("token_refresh", INVALID_REQUEST, 100);

    await passMinutes(59, () => makePushDue(user));
    const first = { sent: refreshes(), ...(await discordTokenOf(janus, user)) };
    await passMinutes(60, () => makePushDue(user));
    const second = { sent: refreshes(), ...(await discordTokenOf(janus, user)) };
    await passMinutes(60, () => makePushDue(user));

    const lives = { endedAt: null, leasedUntil: null, refreshUnansweredSince: null };
    expect(first).toMatchObject({ sent: 1, refreshRefusals: 1, ...lives });
    expect(second).toMatchObject({ sent: 2, refreshRefusals: 2, ...lives });
    expect(refreshes()).toBe(3);
    expect(await discordTokenOf(janus, user)).toMatchObject({ endCause: "invalid_request" });
  });

  test("is sent once an hour for an end that is tried every minute", async () => {
    const { user } = await linkExpired();
    await database.rows(`delete from link where discord_user_id = '${user}'`);
    janus.discord.failNext("token_refresh", INVALID_REQUEST, 100);

    await passMinutes(59, () => makeEndDue(user));
    const first = { sent: refreshes(), ...(await discordTokenOf(janus, user)) };
    await passMinutes(121, () => makeEndDue(user));

    expect(first).toMatchObject({ sent: 1, refreshRefusals: 1, endedAt: null, refreshUnansweredSince: null });
    expect(refreshes()).toBe(3);
    expect(await discordTokenOf(janus, user)).toBeUndefined();
  });

  test("is not sent again for a member who asks within the hour, and tells them how long to wait", async () => {
    const { user, browser } = await linkExpired();
    janus.discord.failNext("token_refresh", INVALID_REQUEST, 100);
    const answers: Response[] = [];

    for (let press = 0; press < 3; press += 1) {
      answers.push(await callApi(janus, "/api/link/sync", { browser, method: "POST" }));
      janus.clock.advance(601);
    }

    expect(refreshes()).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([502, 503, 503]);
    expect(await answers[2]?.json()).toMatchObject({ code: "discord_unavailable" });
    expect(Number(answers[2]?.headers.get("retry-after"))).toBeWithin(2_390, 2_400);
    expect(await discordTokenOf(janus, user)).toMatchObject({ refreshRefusals: 1, endedAt: null });
  });

  test("works again at the next hour if Discord takes it", async () => {
    const { user } = await linkExpired();
    janus.discord.failNext("token_refresh", INVALID_REQUEST);

    await passMinutes(62, () => makePushDue(user));

    expect(refreshes()).toBe(2);
    expect(await discordTokenOf(janus, user)).toMatchObject({ refreshRefusals: 0, refreshRetryAt: null });
    expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null });
  });
});

test("a push says of a token that no key opens that it is unreadable, also while its refresh waits", async () => {
  const { user } = await linkExpired();
  await database.rows(
    `update discord_token set refresh_token_sealed = 'k9.' || refresh_token_sealed where discord_user_id = '${user}'`,
  );

  await passMinutes(1, () => makePushDue(user));

  expect(await discordTokenOf(janus, user)).toMatchObject({ refreshRetryAt: expect.any(Date) });
  expect(await linkOf(janus, user)).toMatchObject({ pushFailedCode: "token_unreadable" });
});

test("a push waits an hour at most for a token that no key opened, once the key is back", async () => {
  const { user } = await linkExpired();
  const sealed = String((await discordTokenOf(janus, user))?.refreshTokenSealed);
  const setSealed = (text: string) =>
    database.rows(
      `update discord_token set refresh_token_sealed = '${text}' where discord_user_id = '${user}'`,
    );
  await setSealed(`k9.${sealed}`);
  await passMinutes(10, () => Promise.resolve());
  await setSealed(sealed);

  await makePushDue(user);
  await passMinutes(61, () => Promise.resolve());

  expect(refreshes()).toBe(1);
  expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null });
});

test.each([
  ["a clock that was two days ahead", 2 * 86_400],
  ["a clock that was two hours ahead", 7_300],
])("a refresh does not wait for a time that %s has written", async (_, seconds) => {
  const { user } = await linkExpired();
  await database.rows(`update discord_token set refresh_retry_at = ${inSeconds(seconds)}, refresh_refusals = 1
    where discord_user_id = '${user}'`);
  await makePushDue(user);

  await runUpkeep(janus.deps);

  expect(refreshes()).toBe(1);
  expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null });
});
