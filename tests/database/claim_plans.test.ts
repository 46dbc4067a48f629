/**
 * What upkeep asks for every half minute, on PostgreSQL: where nothing is due it reads no table whole, and where more is due
 * than PostgreSQL knows of, a claim reads no more than it takes. An audit is rare, and reads each table once.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { fillWithLinkedMembers } from "../fixtures/linked_members.ts";
import type { TestDatabase } from "../harness/database.ts";
import { onPostgres } from "../harness/database.ts";
import { usePostgres } from "../harness/hooks.ts";

const MEMBERS = 3_000;
const NOW = new Date("2026-11-27T12:00:00Z");
const after = (seconds: number): string => new Date(NOW.getTime() + seconds * 1_000).toISOString();
const BIG_TABLES = [
  "discord_account",
  "discord_token",
  "organisation_account",
  "organisation_token",
  "link",
  "session",
];
/** Of more than a hundred that each of the tables with tokens has. */
const FEW_PAGES = 20;

const quiet = usePostgres();
const backlog = usePostgres();
const checked = usePostgres();

async function connected<Result>(
  planCacheMode: string,
  work: (sql: postgres.Sql) => Promise<Result>,
  database: TestDatabase = quiet,
): Promise<Result> {
  const { url = "" } = database.config;
  const connection = { plan_cache_mode: planCacheMode };
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => undefined, connection });
  return work(sql).finally(() => sql.end());
}

type Plan = {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly Plan[];
};

/** The plan for a statement with these values, after it ran. */
const explain = (
  planCacheMode: string,
  text: string,
  values: readonly (string | null)[],
  database?: TestDatabase,
): Promise<Plan> =>
  connected(
    planCacheMode,
    async (sql) => {
      const literals = values.map((value) => (value === null ? "null" : `'${value}'`)).join(", ");
      await sql.unsafe(`prepare asked as ${text}`);
      const [row] = await sql.unsafe(
        `explain (analyze, buffers, format json) execute asked${literals === "" ? "" : `(${literals})`}`,
      );
      return row?.["QUERY PLAN"][0].Plan;
    },
    database,
  );

const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** The big tables that a plan would read from end to end. */
const scannedBy = (plan: Plan): readonly string[] =>
  nodesOf(plan)
    .filter((node) => node["Node Type"] === "Seq Scan")
    .map((node) => node["Relation Name"] ?? "")
    .filter((table) => BIG_TABLES.includes(table));

const pagesOf = (plan: Plan): number => plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];

const SEALED = "x".repeat(120);
const LIMIT = "20";
const [now, leasedUntil] = [after(0), after(390)];
const CLAIMS = [
  ["claimRefreshDue", [LIMIT, after(86_400), leasedUntil, now]],
  ["claimEndDue", [LIMIT, leasedUntil, now, null]],
  ["claimClearDue", [LIMIT, leasedUntil, now]],
  ["claimProviderEndDue", [LIMIT, leasedUntil, now]],
  ["claimStrayDue", [LIMIT, leasedUntil, now]],
  ["claimPushDue", [LIMIT, leasedUntil, now]],
  ["claimCheckDue", [LIMIT, leasedUntil, now, "false"]],
  [
    "claimLossDue",
    [LIMIT, leasedUntil, now, now, now, null, leasedUntil, "https://provider.example", "false"],
  ],
] as const;

const AUDIT = [
  // Claims of the members are thirty days old.
  [
    "listFindings",
    ["discord_token", "link", "organisation_token"],
    [after(-3_600), "5", "5", "10000", after(-60 * 86_400), after(0), after(-60 * 86_400)],
  ],
  ["listTokenSamples", ["discord_token", "organisation_token"], []],
] as const;

describe.skipIf(!onPostgres)("where nothing is due", () => {
  beforeAll(() => connected("auto", (sql) => fillWithLinkedMembers(sql, MEMBERS, NOW)));

  test.each(CLAIMS)("%s goes by an index, and reads few pages", async (name, values) => {
    const plan = await explain("auto", STATEMENTS[name].text, values);

    expect(scannedBy(plan)).toEqual([]);
    expect(pagesOf(plan)).toBeLessThanOrEqual(FEW_PAGES);
  });

  test.each(AUDIT)("%s reads no table more than once from end to end", async (name, tables, values) => {
    const plan = await explain("auto", STATEMENTS[name].text, values);

    expect(scannedBy(plan).toSorted()).toEqual([...tables]);
  });

  test.each(["auto", "force_generic_plan"])(
    "findBrake counts nothing, by a plan that is %s",
    async (mode) => {
      const plan = await explain(mode, STATEMENTS.findBrake.text, [after(-86_400), "10", now]);

      expect(pagesOf(plan)).toBeLessThanOrEqual(FEW_PAGES);
    },
  );

  // PostgreSQL may do so once a statement has run five times on a connection.
  test.each(CLAIMS)("%s reads few pages by a generic plan", async (name, values) => {
    const plan = await explain("force_generic_plan", STATEMENTS[name].text, values);

    expect(pagesOf(plan)).toBeLessThanOrEqual(FEW_PAGES);
  });
});

/** For each link some fifteen in tables, and as many in indexes that change. */
const PAGES_OF_ONE = 40;
/** What a new connection reads of the catalogue. */
const PAGES_AT_FIRST = 60;
const FOUND = {
  leased_until: leasedUntil,
  issuer: "https://provider.example",
  claims: {},
  sources: {},
  check_due_at: after(86_400),
  is_granted: true,
};
const TOKENS = { spent_refresh_token: SEALED, refresh_token: SEALED, access_token: SEALED, obtained_at: now };
const numbered = (count: number, item: (n: number) => object): string =>
  JSON.stringify(Array.from({ length: count }, (_, index) => item(index + 1)));

describe.skipIf(!onPostgres)("what checks of several links bring", () => {
  beforeAll(() =>
    connected(
      "auto",
      async (sql) => {
        await fillWithLinkedMembers(sql, MEMBERS, NOW);
        await sql.unsafe(
          `update link set check_leased_until = '${leasedUntil}' where discord_user_id::integer <= 10`,
        );
        await sql.unsafe("vacuum analyze link");
      },
      checked,
    ),
  );

  test.each(
    ["force_custom_plan", "force_generic_plan"].flatMap((mode) =>
      [1, 10].map((count) => [mode, count] as const),
    ),
  )("is stored without reading a table whole, by %s, for %d", async (mode, count) => {
    const tokens = numbered(count, (n) => ({ subject: `member-${n}`, ...TOKENS }));
    const checks = numbered(count, (n) => ({ discord_user_id: String(n), subject: `member-${n}`, ...FOUND }));
    const plans = [
      await explain(mode, STATEMENTS.setProviderRefreshSent.text, [FOUND.issuer, tokens, now], checked),
      await explain(mode, STATEMENTS.setProviderRefreshed.text, [FOUND.issuer, tokens], checked),
      await explain(mode, STATEMENTS.setChecked.text, [checks, now], checked),
    ];

    expect(plans.flatMap(scannedBy)).toEqual([]);
    for (const plan of plans)
      expect(pagesOf(plan)).toBeLessThanOrEqual(PAGES_AT_FIRST + count * PAGES_OF_ONE);
  });
});

/** For each of the twenty links some twenty in tables, and as many in indexes that change. */
const PAGES_OF_TWENTY = 1_100;

/** A third of the links are due for all three since the statistics were made. */
describe.skipIf(!onPostgres)("where much is due", () => {
  beforeAll(() =>
    connected(
      "auto",
      async (sql) => {
        await fillWithLinkedMembers(sql, MEMBERS, NOW);
        const makeDue = (at: string) =>
          sql.unsafe(`update link set check_due_at = '${at}', push_due_at = '${at}', loss_found_at = '${after(-3_600)}',
            loss_due_at = '${at}' where discord_user_id::integer % 3 = 0`);
        await makeDue(after(3_600));
        await sql.unsafe("vacuum analyze link");
        await makeDue(after(-3_600));
      },
      backlog,
    ),
  );

  test.each(CLAIMS.filter(([name]) => /Push|Check|Loss/.test(name)))(
    "%s reads no more than it takes",
    async (name, values) => {
      const plan = await explain("auto", STATEMENTS[name].text, values, backlog);

      expect(pagesOf(plan)).toBeLessThanOrEqual(PAGES_OF_TWENTY);
    },
  );
});
