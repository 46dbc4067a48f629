/** What an import makes of rows that meet what is stored already: links, flows, grants that end, and another import. */
import { describe, expect, test } from "bun:test";
import { addBan } from "../../lib/operator/bans.ts";
import { collectRows } from "../../lib/operator/import/collect.ts";
import { storeCandidates } from "../../lib/operator/import/store.ts";
import { rotateKeys } from "../../lib/operator/rotate_keys.ts";
import { runSync } from "../../lib/operator/sync_run.ts";
import { csvOf, importDeps, importFrom, waiting } from "../fixtures/imports.ts";
import { makeRingKey } from "../fixtures/sealed_rows.ts";
import { emptyDatabase, onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, trailOf } from "../harness/rows.ts";
import { signIn } from "../harness/sign_in.ts";
import { keepUp } from "../harness/upkeep.ts";
import { linkMember, moveStateIn, newUser, reachForgerCallback, walkDiscordLeg } from "../harness/walk.ts";

const folder = useFolder("import_store");
const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database }));

const HEADER = "discord_user_id,subject,refresh_token";
const csv = (...lines: readonly string[]) => csvOf(folder, [HEADER, ...lines, ""].join("\n"));
/** As the earlier service has left the member: with a refresh token that nobody has spent. */
const rowOf = (user: string, subject: string): string =>
  [user, subject, janus.discord.giveTokens(user).refreshToken].join();
const refusedOf = async (...lines: readonly string[]) => {
  const before = await database.dump();
  const { stored } = await importFrom(janus, csv(...lines));
  expect(await database.dump()).toBe(before);
  expect(stored.imported).toBe(0);
  return stored.hindered.map(({ line, reason }) => [line, reason]);
};
const memberValue = (user: string) => janus.discord.roleConnection(user)?.metadata.dsek_member;

describe("storeCandidates()", () => {
  test("imports a member with a refresh token, whom the next sync tells Discord, and leaves a trail", async () => {
    const user = newUser();

    const { stored } = await importFrom(janus, csv(rowOf(user, "imported-sub")));
    const { counts } = await runSync(janus.deps, { kind: "due" }, waiting());

    expect(stored).toEqual({ imported: 1, already: 0, byUsername: 0, withoutTokens: 0, hindered: [] });
    expect(counts).toMatchObject({ checked: 1, pushed: 1, failed: 0 });
    expect(memberValue(user)).toBe("1");
    expect(await trailOf(janus, user)).toEqual(["imported", "role_connection_pushed"]);
    expect(
      await database.rows(
        `select operator, detail from audit_event where discord_user_id = '${user}' limit 1`,
      ),
    ).toEqual([{ operator: "anna", detail: { source: "csv" } }]);
  });

  test("changes nothing in a dry run, and says what it would do", async () => {
    const before = await database.dump();

    const { stored } = await importFrom(janus, csv(rowOf(newUser(), "a"), `${newUser()},b,`), {
      isDryRun: true,
    });

    expect(stored).toMatchObject({ imported: 2, withoutTokens: 1 });
    expect(await database.dump()).toBe(before);
  });

  test("finds a link that is there, also from an import before", async () => {
    const [linked, imported] = [newUser(), newUser()];
    janus.provider.signInAs({ sub: "linked-sub" });
    await linkMember(janus, linked);
    const source = csv(rowOf(linked, "linked-sub"), rowOf(imported, "imported-sub"));
    const first = await importFrom(janus, source);
    const token = await discordTokenOf(janus, imported);

    const second = await importFrom(janus, source);

    expect(first.stored).toMatchObject({ imported: 1, already: 1 });
    expect(second.stored).toMatchObject({ imported: 0, already: 2, hindered: [] });
    expect(await discordTokenOf(janus, imported)).toEqual(token);
  });

  test("leaves out accounts that are linked otherwise", async () => {
    const user = newUser();
    janus.provider.signInAs({ sub: "taken-sub", preferred_username: "taken" });
    await linkMember(janus, user);

    const bySubject = await refusedOf(rowOf(user, "other-sub"), rowOf(newUser(), "taken-sub"));
    const byName = async (id: string) =>
      (await importFrom(janus, csvOf(folder, `discord_user_id,username\n${id},taken\n`))).stored;
    const [stranger, own] = [await byName(newUser()), await byName(user)];

    expect(bySubject).toEqual([
      [2, "discord_linked"],
      [3, "account_linked"],
    ]);
    expect(stranger).toMatchObject({ imported: 0, hindered: [{ line: 2, reason: "account_linked" }] });
    expect(own).toMatchObject({ imported: 0, already: 1, hindered: [] });
  });

  test("leaves out accounts that are banned", async () => {
    const user = newUser();
    const ban = { expiresAt: null, reason: null, operator: "eva" };
    await addBan(janus.deps, { ...ban, discordUserId: user, issuer: null, subject: null });
    await addBan(janus.deps, {
      ...ban,
      discordUserId: null,
      issuer: janus.provider.issuer,
      subject: "banned-sub",
    });

    const refused = await refusedOf(rowOf(user, "any-sub"), rowOf(newUser(), "banned-sub"));

    expect(refused).toEqual([
      [2, "banned"],
      [3, "banned"],
    ]);
  });

  test("leaves out members who are signing in, or whose earlier grant has not ended", async () => {
    const [signingIn, unlinking] = [newUser(), newUser()];
    janus.provider.signInAs({ sub: "unlinking-sub" });
    await linkMember(janus, unlinking);
    await walkDiscordLeg(janus, signingIn);
    await database.rows(`update discord_token set end_reason = 'unlinked', end_due_at = now() + interval '1 day'
      where discord_user_id = '${unlinking}'`);
    await database.rows(`delete from link where discord_user_id = '${unlinking}'`);

    const refused = await refusedOf(rowOf(signingIn, "a-sub"), rowOf(unlinking, "b-sub"));

    expect(refused).toEqual([
      [2, "in_use"],
      [3, "in_use"],
    ]);
  });

  test("makes no link again that its member has undone", async () => {
    const user = newUser();
    const line = rowOf(user, "undone-sub");
    await importFrom(janus, csv(line));
    const browser = await signIn(janus, user);
    const answer = await browser.post("/account/unlink", {});
    await keepUp(janus, 3);

    const refused = await refusedOf(line);

    expect(answer.status).toBe(200);
    expect(refused).toEqual([[2, "undone"]]);
    expect(await linkOf(janus, user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("imports a member without tokens, of whom Discord hears once they sign in there", async () => {
    const user = newUser();
    await importFrom(janus, csv(`${user},tokenless-sub,`));
    const { counts } = await runSync(janus.deps, { kind: "due" }, waiting());
    const before = [memberValue(user), janus.discord.calls.filter(({ userId }) => userId === user)];

    await walkDiscordLeg(janus, user);
    await runSync(janus.deps, { kind: "due" }, waiting());

    expect(counts).toMatchObject({ checked: 1, pushed: 0, failed: 0 });
    expect(before).toEqual([undefined, []]);
    expect(memberValue(user)).toBe("1");
  });

  test("sends no empty token to Discord where a member without tokens is unlinked", async () => {
    const user = newUser();
    await importFrom(janus, csv(`${user},tokenless-sub,`));
    const browser = await signIn(janus, user);
    const calls = janus.discord.calls.length;

    await browser.post("/account/unlink", {});
    await keepUp(janus, 2);

    const sent = janus.discord.calls.slice(calls).map(({ operation }) => operation);
    expect(sent.filter((operation) => operation !== "revoke")).toEqual([]);
    expect(await linkOf(janus, user)).toBeUndefined();
    // The role may be there from the earlier service, and an operator is told.
    expect(await database.rows("select discord_user_id from role_connection_left")).toEqual([
      { discordUserId: user },
    ]);
  });

  test("names a Discord account by its id where the source has no username", async () => {
    const [user, other] = [newUser(), newUser()];
    await importFrom(janus, csv(rowOf(user, "nameless-sub")));
    janus.provider.signInAs({ sub: "nameless-sub" });
    const browser = createBrowser(janus.url);

    const page = await (await browser.get(await reachForgerCallback(browser, other))).text();

    expect(moveStateIn(page)).not.toBe("");
    expect(page).toContain(`@${user}`);
  });

  test("stores tokens that a rotation of the keys seals again", async () => {
    await importFrom(janus, csv(rowOf(newUser(), "rotated-sub"), `${newUser()},rotated-too,`));
    const [k2, { queries, now }] = [makeRingKey("k2"), janus.deps];

    const rotation = await rotateKeys(
      { queries, now, sleep: () => Promise.resolve(), tokenKeys: [k2, ...janus.config.tokenKeys] },
      waiting(),
    );

    expect(rotation).toMatchObject({ resealed: 2, left: 0, unreadable: 0 });
  });

  test("ends between two batches if it is told to, and goes on from there", async () => {
    const lines = Array.from({ length: 1_200 }, (_, index) => `${newUser()},sub-${index},`);
    const source = csv(...lines);
    const stopping = new AbortController();
    const deps = importDeps(janus);
    const { candidates } = await collectRows(deps, source);
    const asked = { operator: "anna", source: "csv", isDryRun: false } as const;

    const stopped = await storeCandidates(deps, candidates, {
      ...asked,
      stop: stopping.signal,
      onProgress: () => Promise.resolve(stopping.abort()),
    });
    const rest = await storeCandidates(deps, candidates, { ...asked, ...waiting() });

    expect([stopped.imported, rest.imported, rest.already]).toEqual([500, 700, 500]);
  });

  // The embedded database does one thing at a time.
  test.if(onPostgres)(
    "shares the work with another import of the same rows, and links nobody twice",
    async () => {
      await emptyDatabase(database);
      const [events] = await database.rows(
        "select count(*)::integer as count from audit_event where action = 'imported'",
      );
      const lines = Array.from({ length: 2_000 }, (_, index) => `${newUser()},sub-${index},`);
      const [forwards, backwards] = [csv(...lines), csv(...lines.toReversed())];

      const both = await Promise.all([importFrom(janus, forwards), importFrom(janus, backwards)]);

      const [rows] = await database.rows(`select
      (select count(*)::integer from link) as links,
      (select count(*)::integer from audit_event where action = 'imported') as events`);
      const sum = (key: "imported" | "already") => both.reduce((all, { stored }) => all + stored[key], 0);
      expect([sum("imported"), sum("already")]).toEqual([2_000, 2_000]);
      expect(both.flatMap(({ stored }) => stored.hindered)).toEqual([]);
      expect(rows).toEqual({ links: 2_000, events: 2_000 + Number(events?.count) });
    },
  );

  test.if(onPostgres)(
    "lets one of two imports have an account that both want, and leaves no rest",
    async () => {
      await emptyDatabase(database);
      const users = Array.from({ length: 300 }, newUser);
      const one = csv(...users.map((user, index) => `${user},sub-${index},`));
      const other = csv(...users.map((user, index) => `${user},sub-${299 - index},`));

      const both = await Promise.all([importFrom(janus, one), importFrom(janus, other)]);

      const [rows] = await database.rows(`select
      (select count(*)::integer from link) as links,
      (select count(*)::integer from discord_token) as tokens,
      (select count(distinct subject)::integer from link) as subjects`);
      expect(both.reduce((all, { stored }) => all + stored.imported, 0)).toBe(300);
      expect(rows).toEqual({ links: 300, tokens: 300, subjects: 300 });
    },
  );
});
