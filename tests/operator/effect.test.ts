/** The effect of rules on all links: what each link counts as, page by page, and that nothing is changed or overlooked. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createQueries } from "../../lib/database/queries.ts";
import { countEffect, createTally } from "../../lib/operator/effect.ts";
import type { Outcome } from "../../lib/rules/evaluate.ts";
import type { PushedBefore } from "../../lib/sync/member_rules.ts";
import { recordOf, rulesOf } from "../fixtures/rules.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { useDatabase } from "../harness/hooks.ts";

const NOW = new Date("2026-11-28T12:00:00Z");
const RULES = await rulesOf(`[admit]
when = "claims.adult"
message.en = "No."
${recordOf('"m" in claims.groups', "boolean_equal", "member")}
${recordOf("claims.points", "integer_equal", "points")}`);

type Value = string | undefined | "unknown" | "error";
const outcomeOf = <V>(value: V | "unknown" | "error"): Outcome<V> => {
  if (value === "unknown") return { outcome: "unknown", missing: "claims.x" };
  return value === "error" ? { outcome: "error", reason: "" } : { outcome: "value", value };
};
const linkOf = (metadata: PushedBefore["pushedMetadata"], isCleared = false): PushedBefore => ({
  pushedMetadata: metadata,
  pushedPlatformUsername: null,
  clearedAt: isCleared ? NOW : null,
});

/** What one link counts as. */
function countOne(last: PushedBefore, admitted: boolean | "unknown" | "error", member: Value, points: Value) {
  const tally = createTally(RULES);
  tally.add(last, {
    admitted: outcomeOf<boolean>(admitted),
    platformUsername: outcomeOf<string>(""),
    records: [
      { key: "member", outcome: outcomeOf<string>(member ?? "0") },
      { key: "points", outcome: outcomeOf<string>(points ?? "0") },
    ],
  });
  const { admitted: admission, records, dropped } = tally.read();
  const named = (counts: object) =>
    Object.entries(counts).flatMap(([name, count]) => (count === 1 ? [name] : []));
  return [
    named(admission),
    named(records.member ?? {}),
    named(records.points ?? {}),
    [...dropped.keys()],
  ].map((names) => names.join());
}

describe("createTally()", () => {
  const [HAS, HAS_NOT] = [linkOf({ member: "1", points: "5" }), linkOf({ member: "0", points: "0" })];
  const CLEARED = linkOf({}, true);
  test.each([
    ["the same", HAS, true, "1", "5", ["stay", "stay", "stay", ""]],
    ["a no and a new number", HAS, true, "0", "6", ["stay", "lose", "change", ""]],
    ["a yes", HAS_NOT, true, "1", "0", ["stay", "gain", "stay", ""]],
    ["first values", linkOf(null), true, "1", "0", ["stay", "gain", "gain", ""]],
    ["a first no", linkOf(null), true, "0", "0", ["stay", "stay", "gain", ""]],
    ["unknown and error", HAS, true, "unknown", "error", ["stay", "unknown", "error", ""]],
    ["a refusal", HAS, false, "1", "5", ["lose", "lose", "lose", ""]],
    ["a refusal of who had nothing", linkOf(null), false, "1", "5", ["lose", "stay", "stay", ""]],
    ["a refusal despite errors", HAS, false, "unknown", "error", ["lose", "lose", "lose", ""]],
    ["a refusal that stays", CLEARED, false, "1", "5", ["stay", "stay", "stay", ""]],
    ["an admission", CLEARED, true, "1", "5", ["gain", "gain", "gain", ""]],
    ["an unknown admission", HAS, "unknown", "0", "5", ["unknown", "lose", "stay", ""]],
    ["an admission in error", HAS, "error", "1", "5", ["unknown", "stay", "stay", ""]],
    ["an unknown admission again", CLEARED, "unknown", "1", "5", ["unknown", "unknown", "unknown", ""]],
    [
      "a key that is gone",
      linkOf({ old: "1", points: "5" }),
      true,
      "0",
      "5",
      ["stay", "stay", "stay", "old"],
    ],
    [
      "nothing known",
      linkOf({ janus_nothing_known: "1" }),
      true,
      "unknown",
      "5",
      ["stay", "unknown", "gain", ""],
    ],
  ] as const)("counts %s", (_, last, admitted, member, points, expected) => {
    expect(countOne(last, admitted, member, points)).toEqual([...expected]);
  });

  test("counts each link once for admission and once for each record", () => {
    const value = fc.constantFrom<Value>("0", "1", "7", "unknown", "error");
    const metadata = fc.option(
      fc.dictionary(fc.constantFrom("member", "points", "old"), fc.constantFrom("0", "1")),
    );
    const admission = fc.constantFrom<boolean | "unknown" | "error">(true, false, "unknown", "error");
    fc.assert(
      fc.property(
        metadata,
        fc.boolean(),
        admission,
        value,
        value,
        (had, isCleared, admitted, member, points) => {
          const counted = countOne(linkOf(had, isCleared), admitted, member, points);

          for (const name of counted.slice(0, 3))
            expect(name).toMatch(/^(gain|lose|change|stay|unknown|error)$/);
        },
      ),
    );
  });
});

describe("countEffect()", () => {
  const database = useDatabase();
  const never = new AbortController().signal;
  const deps = () => ({
    queries: createQueries(database.db),
    now: () => NOW,
    sleep: () => Promise.resolve(),
  });
  const add = (id: number, claims: object, pushed: object | null) =>
    addLinkOf(database, { discordUserId: String(id), claims, pushed });

  test("reads every link once, in pages, and changes nothing", async () => {
    await add(9, { adult: true, groups: ["m"], points: 5 }, { member: "1", points: "5" });
    await add(10, { adult: true, groups: ["m"], points: 6 }, { member: "0", points: "5" });
    await add(8, { adult: true, groups: [], points: "7" }, { member: "1" });
    await add(11, { adult: false, groups: ["m"], points: 1 }, { member: "1", points: "1", old: "1" });
    await add(12, { groups: ["m"], points: 1 }, null);
    const before = await database.dump();
    const pages: number[] = [];

    const effect = await countEffect(deps(), RULES, {
      stop: never,
      pageLinks: 2,
      onPage: async (links) => void pages.push(links),
    });

    expect(effect).toEqual({
      links: 5,
      admitted: { gain: 0, lose: 1, stay: 3, unknown: 1 },
      records: {
        member: { gain: 2, lose: 2, change: 0, stay: 1, unknown: 0, error: 0 },
        points: { gain: 1, lose: 1, change: 1, stay: 1, unknown: 0, error: 1 },
      },
      dropped: new Map([["old", 1]]),
    });
    expect(pages).toEqual([0, 2, 4, 5]);
    expect(await database.dump()).toBe(before);
  });

  test.each([0, 1, 2, 3, 4])("reads %d links in pages of 2", async (count) => {
    for (let id = 1; id <= count; id++) await add(id, { adult: true, groups: [], points: 1 }, null);

    const effect = await countEffect(deps(), RULES, {
      stop: never,
      pageLinks: 2,
      onPage: async () => undefined,
    });

    expect(effect?.links).toBe(count);
    expect(effect?.admitted.stay).toBe(count);
  });

  test("stops when it is told to, and then has no result", async () => {
    for (let id = 1; id <= 5; id++) await add(id, { adult: true, groups: [], points: 1 }, null);
    const stopping = new AbortController();
    const pages: number[] = [];

    const effect = await countEffect(deps(), RULES, {
      stop: stopping.signal,
      pageLinks: 2,
      onPage: async (links) => {
        pages.push(links);
        if (links > 0) stopping.abort();
      },
    });

    expect([effect, pages]).toEqual([undefined, [0, 2]]);
  });
});
