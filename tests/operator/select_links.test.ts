/** Links by what is asked of them, and members by a part of a name: what fits, in which order, and how a list goes on. */
import { beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createQueries } from "../../lib/database/queries.ts";
import type { Selection } from "../../lib/operator/select_links.ts";
import { listLinks, readLinks } from "../../lib/operator/select_links.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { useDatabase } from "../harness/hooks.ts";

const database = useDatabase();
const needs = () => ({ queries: createQueries(database.db) });

const idsOf = async (selection: Selection, limit = 100, after = ""): Promise<readonly string[]> =>
  (await listLinks(needs(), selection, { limit, after })).links.map(({ discordUserId }) => discordUserId);
const update = (id: string, set: string) =>
  database.rows(`update link set ${set} where discord_user_id = '${id}'`);

describe("listLinks()", () => {
  beforeEach(async () => {
    await addLinkOf(database, {
      discordUserId: "1",
      username: "Anna_A",
      claims: { preferred_username: "anna.a", groups: ["members", "board"], age: 30 },
      pushed: { member: "1", points: "12" },
    });
    await addLinkOf(database, {
      discordUserId: "2",
      subject: "SUB%two",
      claims: { name: "Björn Ö", roles: { admin: {} } },
      pushed: { member: "0" },
    });
    await addLinkOf(database, { discordUserId: "3", claims: { groups: "board" } });
    await addLinkOf(database, { discordUserId: "4", pushed: { member: "1" }, isCleared: true });
    await update("1", "check_failures = 2, check_failed_code = 'token_unreadable'");
    await update("2", "push_failures = 1, push_failed_code = 'discord_refused', push_due_at = now()");
    await update("3", "push_failures = 0, push_failed_code = 'discord_unavailable'");
    await database.rows(
      "update organisation_account set claims_seen_at = '2020-01-01' where subject = 'sub-3'",
    );
  });

  test.each([
    ["every link", {}, ["1", "2", "3", "4"]],
    ["told", { state: "told" }, ["1"]],
    ["waiting", { state: "waiting" }, ["2", "3"]],
    ["cleared", { state: "cleared" }, ["4"]],
    ["disconnected", { state: "disconnected" }, []],
    ["a record with any value", { record: { name: "points", value: undefined } }, ["1"]],
    ["a record with a value", { record: { name: "member", value: "0" } }, ["2"]],
    ["no record of this name", { record: { name: "%", value: undefined } }, []],
    ["a claim with any value", { claim: { name: "groups", value: undefined } }, ["1", "3"]],
    ["a claim in a list, and alone", { claim: { name: "groups", value: "board" } }, ["1", "3"]],
    ["a claim as a number", { claim: { name: "age", value: "30" } }, ["1"]],
    ["a claim as a key", { claim: { name: "roles", value: "admin" } }, ["2"]],
    ["claims read long ago", { seenBefore: new Date("2021-01-01") }, ["3"]],
    ["a code of a push", { failedCode: "discord_refused" }, ["2"]],
    ["a code of a push that failed before the last", { failedCode: "discord_unavailable" }, []],
    ["a code", { failedCode: "token_unreadable" }, ["1"]],
    ["a failing check or push", { isFailing: true }, ["1", "2"]],
    ["both of two", { isFailing: true, record: { name: "member", value: "1" } }, ["1"]],
    ["a part of a name at Discord, in another case", { words: "NNA_a" }, ["1"]],
    ["a part of a subject with a percent sign", { words: "b%t" }, ["2"]],
    ["a part of a name at the organisation", { words: "björn" }, ["2"]],
    ["an underscore as itself", { words: "_a" }, ["1"]],
    ["a percent sign as itself", { words: "%" }, ["2"]],
    ["an id", { words: "3" }, ["3"]],
  ] as const)("lists %s", async (_, selection, expected) => {
    expect(await idsOf(selection)).toEqual([...expected]);
  });

  test("says after which link the next list begins, and nothing after the last", async () => {
    const first = await listLinks(needs(), {}, { limit: 3 });
    const second = await listLinks(needs(), {}, { limit: 3, after: first.next ?? "" });
    const whole = await listLinks(needs(), {}, { limit: 4 });

    expect([first.links.length, first.next]).toEqual([3, "3"]);
    expect([second.links.map(({ discordUserId }) => discordUserId), second.next]).toEqual([["4"], null]);
    expect(whole.next).toBeNull();
  });

  test("finds who has the words, whatever they are, and nobody else", async () => {
    const word = fc.string({ unit: fc.constantFrom("a", "A", "%", "_", "\\", "'", ".", "1"), minLength: 1 });
    await fc.assert(
      fc.asyncProperty(word, async (words) => {
        const isIn = (...texts: readonly string[]) =>
          texts.some((text) => text.toLowerCase().includes(words.toLowerCase()));
        const expected = [
          ...(isIn("1", "Anna_A", "sub-1", "anna.a") ? ["1"] : []),
          ...(isIn("2", "user_2", "SUB%two", "Björn Ö") ? ["2"] : []),
          ...(isIn("3", "user_3", "sub-3") ? ["3"] : []),
          ...(isIn("4", "user_4", "sub-4") ? ["4"] : []),
        ];

        expect(await idsOf({ words })).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe("readLinks()", () => {
  const COUNT = 2_500;
  beforeEach(async () => {
    const n = `generate_series(1, ${COUNT}) as n`;
    for (const statement of [
      `insert into discord_account select n::text, 'name', null, now(), now() from ${n}`,
      `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
         select n::text, 'a', 'r', 'identify', now(), now() from ${n}`,
      `insert into organisation_account select 'https://id.example', 's' || n, '{}', now(), now() from ${n}`,
      `insert into link (discord_user_id, issuer, subject, linked_at)
         select n::text, 'https://id.example', 's' || n, now() from ${n}`,
    ])
      await database.rows(statement);
  });

  test("reads each link once, over all pages, and says how many it has read", async () => {
    const [seen, told] = [new Set<string>(), [] as number[]];
    for await (const page of readLinks(needs(), {}, { onRead: async (read) => void told.push(read) }))
      for (const { discordUserId } of page) seen.add(discordUserId);

    expect(seen.size).toBe(COUNT);
    expect(told).toEqual([1_000, 2_000, COUNT]);
  });

  test("gives pages that a filter leaves empty, and reads on", async () => {
    const pages: number[] = [];
    for await (const page of readLinks(needs(), { words: "s2499" }, {})) pages.push(page.length);

    expect(pages.reduce((sum, length) => sum + length, 0)).toBe(1);
    expect(pages).toHaveLength(3);
  });

  test("stops when it is told to", async () => {
    const stopping = new AbortController();
    let pages = 0;
    for await (const _ of readLinks(needs(), {}, { stop: stopping.signal })) {
      pages += 1;
      stopping.abort();
    }

    expect(pages).toBe(1);
  });
});
