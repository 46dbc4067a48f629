/** Sessions as an operator sees and ends them: what is listed, what ends, and what the trail keeps of it. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createQueries } from "../../lib/database/queries.ts";
import { countSessions, listAllSessions, purgeSessions } from "../../lib/operator/sessions.ts";
import { useDatabase } from "../harness/hooks.ts";

const NOW = new Date("2031-01-10T12:00:00Z");
const database = useDatabase();
const needs = () => ({ queries: createQueries(database.db), now: () => NOW });
const waiting = () => ({ stop: new AbortController().signal, onProgress: () => Promise.resolve() });

const at = (span: string): string => `timestamptz '${NOW.toISOString()}' + interval '${span}'`;
/** A number that no other test's session has, since nothing empties the trail. */
let made = 0;

async function addSessions(id: string, count: number, lastUsed = "-1 hour"): Promise<void> {
  await database.rows(
    `insert into discord_account values ('${id}', 'user_${id}', null, now(), now()) on conflict do nothing`,
  );
  await database.rows(`insert into session (session_id_hash, session_handle, discord_user_id, access_token_sealed,
      token_expires_at, user_agent, created_at, last_used_at, expires_at)
    select lpad(to_hex(${made} + n), 64, '0'), 'h' || lpad((${made} + n)::text, 6, '0'), '${id}', 'canary-token', ${at("1 day")},
      'Firefox on Linux', ${at("-2 days")}, ${at(lastUsed)}, ${at("20 days")}
    from generate_series(1, ${count}) as n`);
  made += count;
}
const left = async () =>
  (await database.rows("select discord_user_id as id from session order by session_handle")).map(
    ({ id }) => id,
  );
const trail = (operator: string) =>
  database.rows(
    `select action, discord_user_id, detail from audit_event where operator = '${operator}' order by discord_user_id`,
  );

beforeEach(async () => {
  await addSessions("1", 2);
  await addSessions("2", 1, "-3 days");
});

describe("listAllSessions()", () => {
  test("lists sessions of all and of one member, page by page, and none that has ended", async () => {
    await addSessions("3", 1, "-8 days");

    const all = await listAllSessions(needs(), {}, { limit: 10 });
    const first = await listAllSessions(needs(), {}, { limit: 2 });
    const second = await listAllSessions(needs(), {}, { limit: 2, after: first.next ?? "" });
    const own = await listAllSessions(needs(), { discordUserId: "2" }, { limit: 10 });

    expect([all.sessions.length, all.next]).toEqual([3, null]);
    expect([...first.sessions, ...second.sessions]).toEqual([...all.sessions]);
    expect(own.sessions).toMatchObject([{ discordUserId: "2", userAgent: "Firefox on Linux" }]);
    expect(JSON.stringify(all)).not.toMatch(/canary|0000000000/);
  });
});

describe("purgeSessions()", () => {
  test.each([
    ["those of one member", { discordUserId: "1" }, ["2"], [["1", 2]]],
    ["those not used lately", { usedBefore: new Date("2031-01-09T00:00:00Z") }, ["1", "1"], [["2", 1]]],
    [
      "all",
      {},
      [],
      [
        ["1", 2],
        ["2", 1],
      ],
    ],
    ["those of nobody", { discordUserId: "7" }, ["1", "1", "2"], []],
  ] as const)("ends %s, and the trail of each member says who did it", async (name, scope, kept, told) => {
    const operator = `anna of ${name}`;
    const count = await countSessions(needs(), scope);

    const ended = await purgeSessions(needs(), { ...scope, operator }, waiting());

    expect(ended).toBe(count);
    expect(await left()).toEqual([...kept]);
    expect(await trail(operator)).toEqual(
      told.map(([discordUserId, sessions]) => ({
        action: "sessions_purged",
        discordUserId,
        detail: { sessions },
      })),
    );
  });

  test("ends many in batches, says how far it is, and stops when it is told to", async () => {
    await addSessions("4", 1_200);
    const [told, stopping] = [[] as number[], new AbortController()];
    const onProgress = async (ended: number) => {
      told.push(ended);
      if (told.length === 2) stopping.abort();
    };

    const ended = await purgeSessions(needs(), { operator: "many" }, { stop: stopping.signal, onProgress });

    expect([ended, told]).toEqual([1_000, [500, 1_000]]);
    expect(await left()).toHaveLength(203);
  });
});
