/** What a process leaves that dies in a round of checks: a mark where a refresh token was sent, and nowhere else. */
import { expect, test } from "bun:test";
import type { WorkDeps } from "../../lib/deps.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { sealOrganisationTokens } from "../../lib/grants/sealing.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { checkDueLinks } from "../../lib/sync/check_round.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { organisationTokenOf } from "../harness/rows.ts";
import { linkNewMember, subjectOf } from "../harness/walk.ts";

const LINKS = 8;
const NEXT_CHECK_SECONDS = 27 * 3_600;
/** Longer than any lease. */
const LEASES_SECONDS = 600;

const database = useDatabase();
const janus = useJanusForEach(() =>
  startJanusWithForger({ database, environment: { SYNC_PROVIDER_PER_SECOND: "100" } }),
);

/** Members who are linked, and whose checks are due. */
async function leaveDue(count = LINKS): Promise<readonly string[]> {
  const users: string[] = [];
  for (let member = 0; member < count; member += 1) {
    users.push(await linkNewMember(janus));
  }
  janus.clock.advance(NEXT_CHECK_SECONDS);
  return users;
}

const marked = () =>
  database.rows("select subject from organisation_token where refresh_unanswered_since is not null");

test("a token that waits for its turn is not marked, so its grant can still end by the provider's word", async () => {
  const users = await leaveDue();
  const turn = Promise.withResolvers<void>();
  let sent = 0;
  const oidc: WorkDeps["oidc"] = {
    ...janus.deps.oidc,
    refreshTokens: async (token, beforeSend) => {
      sent += 1;
      // The first link of a round is alone; of those that follow, one has its turn.
      if (sent > 2) await turn.promise;
      return janus.deps.oidc.refreshTokens(token, beforeSend);
    },
  };
  const arrived = janus.provider.gate("token_refresh", "request");
  const dying = checkDueLinks({ ...janus.deps, oidc });
  await arrived.arrived;
  const atFirst = await marked();
  arrived.release();
  while (sent < LINKS) await new Promise((resolve) => setImmediate(resolve));

  turn.reject(new Error("the process is killed"));
  await dying;
  const left = await marked();

  expect(atFirst).toHaveLength(1);
  expect(left).toEqual([]);
  for (const user of users) janus.provider.setDisabled(subjectOf(user), true);
  janus.clock.advance(NEXT_CHECK_SECONDS + LEASES_SECONDS);
  await runUpkeep(janus.deps);
  const causes = await Promise.all(users.map((user) => organisationTokenOf(janus, subjectOf(user))));
  expect(causes.map((row) => row?.endCause)).toEqual(users.map(() => "invalid_grant"));
});

test("the tokens of a round are marked by few statements", async () => {
  await leaveDue();
  const batches: number[] = [];
  const setProviderRefreshSent: WorkDeps["queries"]["setProviderRefreshSent"] = async (values) => {
    batches.push(values.tokens.length);
    return janus.deps.queries.setProviderRefreshSent(values);
  };
  const queries = { ...janus.deps.queries, setProviderRefreshSent };

  await checkDueLinks({ ...janus.deps, queries });

  expect(batches.reduce((sum, size) => sum + size, 0)).toBe(LINKS);
  expect(batches.length).toBeLessThanOrEqual(4);
});

test("nothing is sent whose mark cannot be stored", async () => {
  const [user = ""] = await leaveDue(1);
  const before = janus.provider.sentRefreshTokens.length;
  const setProviderRefreshSent = () => Promise.reject(databaseUnavailable("the test's database is away"));
  const queries = { ...janus.deps.queries, setProviderRefreshSent };

  const round = await checkDueLinks({ ...janus.deps, queries });

  expect(round).toMatchObject({ claimed: 1, done: 0, metOutage: true });
  expect(janus.provider.sentRefreshTokens).toHaveLength(before);
  expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({
    refreshUnansweredSince: null,
    endedAt: null,
  });
});

test("a refresh token that was sealed again since it was claimed is not sent, and the next check sends it", async () => {
  const [user = ""] = await leaveDue(1);
  const before = janus.provider.sentRefreshTokens.length;
  const account = { issuer: janus.provider.issuer, subject: subjectOf(user) };
  const oidc: WorkDeps["oidc"] = {
    ...janus.deps.oidc,
    refreshTokens: async (refreshToken, beforeSend) => {
      const sealed = sealOrganisationTokens(janus.deps, { ...account, accessToken: "", refreshToken });
      await database.rows(
        `update organisation_token set refresh_token_sealed = '${sealed.refreshTokenSealed}'`,
      );
      return janus.deps.oidc.refreshTokens(refreshToken, beforeSend);
    },
  };

  await checkDueLinks({ ...janus.deps, oidc });
  const sent = janus.provider.sentRefreshTokens.length;
  janus.clock.advance(LEASES_SECONDS);
  await checkDueLinks(janus.deps);

  expect(sent).toBe(before);
  expect(janus.provider.sentRefreshTokens).toHaveLength(before + 1);
  expect(await organisationTokenOf(janus, account.subject)).toMatchObject({
    refreshUnansweredSince: null,
    endedAt: null,
    replacedTokens: [],
  });
});
