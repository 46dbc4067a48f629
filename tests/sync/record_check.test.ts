/** What a round of checks brings, stored for several links by one statement: to each its own. */
import { expect, test } from "bun:test";
import { checkDueLinks } from "../../lib/sync/check_round.ts";
import { secondsAfter } from "../../lib/time.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf, organisationTokenOf } from "../harness/rows.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const LINKS = 8;
const NEXT_CHECK_SECONDS = 27 * 3_600;
const LEASE_SECONDS = 390;
const DAY_SECONDS = 86_400;

const database = useDatabase();
const janus = useJanusForEach(() =>
  startJanusWithForger({ database, environment: { SYNC_PROVIDER_PER_SECOND: "1000" } }),
);

const subjectOf = (user: string) => `subject-of-${user}`;

/** Members who are linked, and whose checks are due. */
async function leaveDue(count: number): Promise<readonly string[]> {
  const users: string[] = [];
  for (let member = 0; member < count; member += 1) {
    const user = newUser();
    janus.provider.signInAs({ sub: subjectOf(user) });
    const browser = createBrowser(janus.url);
    expect((await browser.get(await reachForgerCallback(browser, user))).status).toBe(200);
    users.push(user);
  }
  janus.clock.advance(NEXT_CHECK_SECONDS);
  return users;
}

const claimsOf = async (user: string): Promise<unknown> => {
  const [row] = await database.rows(
    `select claims from organisation_account where subject = '${subjectOf(user)}'`,
  );
  return row?.claims;
};

test("a round stores for each member their own tokens and claims", async () => {
  const users = await leaveDue(LINKS);
  for (const user of users)
    janus.provider.setIdentity({ sub: subjectOf(user), preferred_username: `name-of-${user}` });

  const round = await checkDueLinks(janus.deps);

  expect(round).toMatchObject({ claimed: LINKS, done: LINKS });
  for (const user of users) {
    expect(await claimsOf(user)).toEqual({ preferred_username: `name-of-${user}` });
    expect(await linkOf(janus, user)).toMatchObject({ checkLeasedUntil: null, checkFailures: 0 });
    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({ refreshUnansweredSince: null });
  }
});

test("setChecked() records what each check has found, and nothing for a check whose lease is another's", async () => {
  const [quiet = "", loses = "", gone = "", taken = ""] = await leaveDue(4);
  const now = janus.deps.now();
  const leasedUntil = secondsAfter(now, LEASE_SECONDS);
  await janus.deps.queries.claimCheckDue({ limit: 4, leasedUntil, now, isAwaited: false });
  const found = (user: string) => ({
    discord_user_id: user,
    issuer: janus.provider.issuer,
    subject: subjectOf(user),
    leased_until: leasedUntil,
    claims: { preferred_username: `new-${user}` },
    sources: {},
    check_due_at: secondsAfter(now, DAY_SECONDS),
    is_push_due: false,
    is_loss: false,
    is_reconciled: false,
    is_disconnected: false,
    is_drifted: false,
    is_gone: false,
    is_granted: true,
  });

  const recorded = await janus.deps.queries.setChecked({
    checks: [
      { ...found(taken), leased_until: secondsAfter(leasedUntil, 1) },
      { ...found(gone), is_gone: true, claims: null, sources: null },
      { ...found(loses), is_loss: true },
      found(quiet),
    ],
    now,
  });

  expect(recorded.map(({ discordUserId }) => discordUserId).sort()).toEqual([quiet, loses, gone].sort());
  expect(await linkOf(janus, quiet)).toMatchObject({ lossDueAt: null, goneAt: null, checkLeasedUntil: null });
  expect(await linkOf(janus, loses)).toMatchObject({ lossDueAt: now, goneAt: null });
  expect(await linkOf(janus, gone)).toMatchObject({ lossDueAt: null, goneAt: now, goneSource: "scim" });
  expect(await linkOf(janus, taken)).toMatchObject({ checkLeasedUntil: leasedUntil });
  expect(await claimsOf(quiet)).toEqual({ preferred_username: `new-${quiet}` });
  expect(await claimsOf(gone)).not.toEqual({ preferred_username: `new-${gone}` });
  expect(await claimsOf(taken)).not.toEqual({ preferred_username: `new-${taken}` });
  const ended = await database.rows(
    "select discord_user_id from audit_event where action = 'membership_ended'",
  );
  expect(ended).toEqual([{ discordUserId: gone }]);
});

test("setProviderRefreshed() leaves the tokens of a member who has signed in since, and stores the others'", async () => {
  const [stays = "", replaced = ""] = await leaveDue(2);
  const spent = await Promise.all(
    [stays, replaced].map(
      async (user) => (await organisationTokenOf(janus, subjectOf(user)))?.refreshTokenSealed,
    ),
  );
  const now = janus.deps.now();
  const brought = (user: string, spentToken: unknown, refreshToken: string | null) => ({
    subject: subjectOf(user),
    spent_refresh_token: spentToken,
    access_token: `access-of-${user}`,
    refresh_token: refreshToken,
    expires_at: null,
    obtained_at: now,
  });

  const stored = await janus.deps.queries.setProviderRefreshed({
    issuer: janus.provider.issuer,
    tokens: [brought(replaced, "another", "refresh"), brought(stays, spent[0], null)],
  });

  expect(stored).toEqual([{ subject: subjectOf(stays) }]);
  expect(await organisationTokenOf(janus, subjectOf(stays))).toMatchObject({
    accessTokenSealed: `access-of-${stays}`,
    refreshTokenSealed: spent[0],
    expiresAt: null,
    obtainedAt: now,
  });
  expect(await organisationTokenOf(janus, subjectOf(replaced))).toMatchObject({
    refreshTokenSealed: spent[1],
  });
});
