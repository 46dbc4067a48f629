/** An import from its file to the role: a thousand members of the earlier service, none of whom clicks anything. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { collectRows } from "../../lib/operator/import/collect.ts";
import { createSqliteSource } from "../../lib/operator/import/earlier_tables.ts";
import { storeCandidates } from "../../lib/operator/import/store.ts";
import { runSync } from "../../lib/operator/sync_run.ts";
import type { EarlierMember } from "../fixtures/earlier_service.ts";
import { writeEarlierFile } from "../fixtures/earlier_service.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanus } from "../harness/janus.ts";
import { linkOf, trailOf } from "../harness/rows.ts";
import { linkAccounts, reachProviderCallback } from "../harness/walk.ts";

const folder = useFolder("import_whole");
const database = useDatabase();
const janus = useJanus(() => startJanus({ database }));

const MEMBERS = 1_000;
const WEEK_MS = 604_800_000;
const idOf = (index: number): string => String(400_000_000_000_000_000n + BigInt(index));
const waiting = () => ({ stop: new AbortController().signal, onProgress: () => Promise.resolve() });

/** What is wrong with some of them. */
const CASES = {
  /** Their access token has expired: the refresh token must be spent once. */
  expired: (index: number) => index % 10 === 3,
  /** Linked, and their tokens are gone. */
  tokenless: (index: number) => index % 50 === 7,
  /** They did not come back from the provider. */
  unfinished: (index: number) => index % 50 === 8,
  /** One Discord account with two accounts at the provider. */
  twice: (index: number) => index % 100 === 9,
};

function memberOf(index: number): EarlierMember {
  const discordUserId = idOf(index);
  const expiresAt = new Date(janus.clock.now().getTime() + (CASES.expired(index) ? -1_000 : WEEK_MS));
  const tokens = CASES.tokenless(index)
    ? undefined
    : { ...janus.discord.giveTokens(discordUserId), expiresAt };
  if (CASES.expired(index)) janus.discord.expireAccessTokens(discordUserId);
  return {
    discordUserId,
    stilId: CASES.unfinished(index) ? undefined : `stil${index}`,
    discordUsername: `user${index}`,
    name: `Member ${index}`,
    tokens,
  };
}

test("collectRows(), storeCandidates() and runSync() give a thousand members their role without a click", async () => {
  // Two of them have linked with Janus before: one as the file says, and one with another account.
  await linkAccounts(janus, idOf(0), "anna");
  await linkAccounts(janus, idOf(1), "bo");
  const members = Array.from({ length: MEMBERS }, (_, index) => memberOf(index));
  const others = members.flatMap(({ discordUserId }, index) =>
    CASES.twice(index) ? [{ discordUserId, stilId: `other${index}`, name: "Other" }] : [],
  );
  const path = join(folder, "janus.db");
  writeEarlierFile(path, [
    { ...members[0], discordUserId: idOf(0), stilId: "anna" },
    ...members.slice(1),
    ...others,
  ]);
  const deps = { ...janus.deps, config: { ...janus.config, issuer: janus.config.oidc.issuer } };

  const collected = await collectRows(deps, createSqliteSource(path));
  const asked = { operator: "anna", source: "sqlite", isDryRun: false, ...waiting() } as const;
  const stored = await storeCandidates(deps, collected.candidates, asked);
  const again = await storeCandidates(deps, collected.candidates, asked);
  const { counts } = await runSync(janus.deps, { kind: "due" }, waiting());

  const indexes = members.map((_, index) => index);
  const isLinked = (index: number) => index > 1 && !CASES.unfinished(index) && !CASES.twice(index);
  const importable = indexes.filter(isLinked);
  const tellable = importable.filter((index) => !CASES.tokenless(index));
  expect(collected).toMatchObject({ unfinished: 20, repeated: 0 });
  expect(collected.refused.map(({ reason }) => reason)).toEqual(Array(20).fill("discord_twice"));
  expect(stored).toMatchObject({
    imported: importable.length,
    already: 1,
    byUsername: importable.length,
    withoutTokens: importable.length - tellable.length,
    hindered: [{ discordUserId: idOf(1), reason: "discord_linked" }],
  });
  expect(again).toMatchObject({ imported: 0, already: importable.length + 1 });
  expect(counts).toMatchObject({ checked: importable.length, pushed: tellable.length, failed: 0 });
  const valueOfMember = (index: number) => janus.discord.roleConnection(idOf(index))?.metadata.dsek_member;
  expect(tellable.filter((index) => valueOfMember(index) !== "1")).toEqual([]);
  expect(janus.discord.roleConnection(idOf(2))).toMatchObject({
    platform_name: "D-sektionen",
    platform_username: "stil2",
  });
  // Nobody but them was told anything.
  const told = indexes.filter((index) => janus.discord.roleConnection(idOf(index)) !== undefined);
  expect(told).toHaveLength(tellable.length + 2);
  expect(await trailOf(janus, idOf(2))).toEqual(["imported", "role_connection_pushed"]);
  const ids = new Set(members.map(({ discordUserId }) => discordUserId));
  const refreshes = janus.discord.calls.filter(
    ({ operation, userId = "" }) => operation === "token_refresh" && ids.has(userId),
  );
  expect(refreshes).toHaveLength(tellable.filter(CASES.expired).length);
}, 120_000);

test("finishProviderLeg() gives an imported link its subject when its member signs in", async () => {
  const user = idOf(5_000);
  const path = join(folder, "one.db");
  const expiresAt = new Date(janus.clock.now().getTime() + WEEK_MS);
  const tokens = { ...janus.discord.giveTokens(user), expiresAt };
  writeEarlierFile(path, [
    { discordUserId: user, stilId: "anna", discordUsername: "anna_d", name: "Anna", tokens },
  ]);
  const deps = { ...janus.deps, config: { ...janus.config, issuer: janus.config.oidc.issuer } };
  const { candidates } = await collectRows(deps, createSqliteSource(path));
  const asked = { operator: "anna", source: "sqlite", isDryRun: false, ...waiting() } as const;
  await storeCandidates(deps, candidates, asked);

  const browser = createBrowser(janus.url);
  const page = await browser.get(await reachProviderCallback(browser, user, "anna"));

  expect(page.status).toBe(200);
  expect(await linkOf(janus, user)).toMatchObject({
    issuer: janus.config.oidc.issuer,
    subject: "sub-of-anna",
    importedAt: null,
  });
  expect(await trailOf(janus, user)).toEqual([
    "imported",
    "discord_authorized",
    "adopted",
    "role_connection_pushed",
  ]);
  expect(await storeCandidates(deps, candidates, asked)).toMatchObject({ imported: 0, already: 1 });
});
