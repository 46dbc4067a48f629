/** One link on one page: each state by itself, what Discord has beside what the rules say, and that it tells no secret. */

import { describe, expect, test } from "bun:test";
import { createQueries } from "../../lib/database/queries.ts";
import { findMember } from "../../lib/operator/find_member.ts";
import { showLink } from "../../lib/operator/show_link.ts";
import { parseRules } from "../../lib/rules/file.ts";
import { MEMBER_RECORD, POINTS_RECORD } from "../fixtures/rules_file.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { useDatabase } from "../harness/hooks.ts";

const NOW = new Date("2031-01-01T12:00:00Z");
const RULES = MEMBER_RECORD + POINTS_RECORD;
const parsed = await parseRules("rules.toml", RULES);
if (!("rules" in parsed)) throw new Error(JSON.stringify(parsed.faults));
const { rules } = parsed;

const database = useDatabase();
/** The trail of another test is of another member. */
let lastId = 1_000;

async function show(pushed: object | null = { member: "1", old: "7" }, ...sets: readonly string[]) {
  lastId += 1;
  const id = String(lastId);
  await addLinkOf(database, { discordUserId: id, claims: { groups: ["board"] }, pushed });
  await database.rows(
    `insert into organisation_token (issuer, subject, access_token_sealed, refresh_token_sealed, obtained_at, expires_at)
       values ('https://id.example', 'sub-${id}', 'canary-access', 'canary-refresh', '2030-12-31', '2031-02-01')`,
  );
  await database.rows(`update link set check_due_at = '2031-01-02Z' where discord_user_id = '${id}'`);
  for (const set of sets) await database.rows(set.replaceAll("$id", id));
  const needs = {
    queries: createQueries(database.db),
    now: () => NOW,
    rules,
    platformName: "Example",
    config: { sync: { graceDays: 7 } },
  };
  const found = await findMember(needs, id);
  if (!("link" in found)) throw new Error("not found");
  return showLink(needs, found.link);
}

const LINK = "update link set";
const OF_LINK = "where discord_user_id = '$id'";

describe("showLink()", () => {
  test("shows what Discord has beside what the rules say, also where only one of them has a record", async () => {
    const shown = await show();

    expect(shown?.records).toMatchObject([
      { key: "member", discordHas: "1", outcome: { outcome: "value", value: "0" } },
      { key: "points", discordHas: null, outcome: { outcome: "unknown" } },
      { key: "old", discordHas: "7", outcome: null },
    ]);
    expect(shown).toMatchObject({ state: "told", sync: { state: "checked" }, sessions: 0, trail: [] });
    expect(shown?.checks).toMatchObject({ nextAt: new Date("2031-01-02Z"), failures: 0, failedCode: null });
  });

  test.each([
    ["waiting", "checked", null, []],
    ["cleared", "checked", {}, [`${LINK} cleared_at = now(), clear_cause = 'not_admitted' ${OF_LINK}`]],
    ["disconnected", "disconnected", {}, [`${LINK} disconnected_at = now() ${OF_LINK}`]],
    ["losing", "checked", {}, [`${LINK} loss_found_at = now(), loss_due_at = now() ${OF_LINK}`]],
    [
      "losing",
      "held",
      {},
      [
        `${LINK} loss_found_at = now(), loss_due_at = now() ${OF_LINK}`,
        "insert into brake (held_at) values (now())",
      ],
    ],
    [
      "losing",
      "checked",
      {},
      [
        `${LINK} loss_found_at = now() - interval '1 hour', loss_due_at = now() ${OF_LINK}`,
        "insert into brake (held_at, released_at) values (now(), now())",
      ],
    ],
    [
      "told",
      "grace",
      {},
      [
        "update organisation_token set ended_at = '2030-12-30', end_cause = 'invalid_grant' where subject = 'sub-$id'",
      ],
    ],
    [
      "told",
      "deauthorized",
      {},
      [
        `update discord_token set ended_at = now(), end_cause = 'deauthorized', access_token_sealed = '',
           refresh_token_sealed = '' ${OF_LINK}`,
      ],
    ],
    [
      "told",
      "check_failing",
      {},
      [`${LINK} check_failures = 3, check_failed_code = 'token_unreadable' ${OF_LINK}`],
    ],
  ] as const)("says that a link is %s and %s", async (state, sync, pushed, sets) => {
    const shown = await show(pushed, ...sets);

    expect(shown).toMatchObject({ state, sync: { state: sync } });
  });

  test("tells of tokens whether they are there and until when, and never what they are", async () => {
    const shown = await show();

    expect(shown?.grants).toMatchObject({
      discord: { hasRefreshToken: true, endedAt: null },
      provider: { hasRefreshToken: true, expiresAt: new Date("2031-02-01T00:00:00Z"), endCause: null },
    });
    expect(JSON.stringify(shown)).not.toMatch(/canary|sealed/i);
  });

  test("shows the newest ten events, with who of the operators did it", async () => {
    const shown = await show(
      {},
      `insert into audit_event (occurred_at, action, discord_user_id, operator)
         select now(), 'sync_asked', '$id', 'operator ' || n from generate_series(1, 12) as n order by n`,
    );

    expect(shown?.trail.map(({ operator }) => operator)).toEqual(
      Array.from({ length: 10 }, (_, index) => `operator ${12 - index}`),
    );
  });

  test("leaves looks of administrators out of the newest ten events", async () => {
    const shown = await show(
      {},
      `insert into audit_event (occurred_at, action, discord_user_id, operator)
         select now(), case n when 1 then 'sync_asked' else 'looked_at' end, '$id', 'anna'
         from generate_series(1, 12) as n order by n`,
    );

    expect(shown?.trail.map(({ action }) => action)).toEqual(["sync_asked"]);
  });
});
