/** What an audit finds, each kind by itself: what makes it a finding, what does not, and that each is explained. */
import { describe, expect, test } from "bun:test";
import { MEANINGS } from "../../lib/cli/audit_meanings.ts";
import { createSealer } from "../../lib/crypto.ts";
import { createQueries } from "../../lib/database/queries.ts";
import { sealDiscordTokens, sealOrganisationTokens } from "../../lib/grants/sealing.ts";
import { auditKeys, auditLinks } from "../../lib/operator/audit.ts";
import { STOP_REMEDIES } from "../../lib/sync/stops.ts";
import { readText } from "../fixtures/source.ts";
import { useDatabase } from "../harness/hooks.ts";

const database = useDatabase();

const SYNC = { everyHours: 24, graceDays: 7, reconcileDays: 7 };
const queriesOf = () => createQueries(database.db);
const audit = (sync = SYNC) => auditLinks({ queries: queriesOf(), now: () => new Date(), sync });

/** A link as the flow and a check a moment ago leave it, and what a test changes of its rows. */
async function addLink(id: string, ...changes: readonly string[]): Promise<void> {
  const key = `'https://id.example', 'sub-${id}'`;
  const statements = [
    `insert into discord_account values ('${id}', 'a', null, now(), now())`,
    `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
       values ('${id}', 'k.a', 'k.r', 'identify', now() + interval '7 days', now())`,
    `insert into organisation_account values (${key}, '{}', now(), now())`,
    `insert into organisation_token (issuer, subject, access_token_sealed, refresh_token_sealed, obtained_at)
       values (${key}, 'k.a', 'k.r', now())`,
    `insert into link (discord_user_id, issuer, subject, linked_at, check_due_at, pushed_metadata, pushed_at)
       values ('${id}', ${key}, now(), now() + interval '1 day', '{"member": "1"}', now())`,
    ...changes,
  ];
  for (const statement of statements) await database.rows(statement);
}

const link = (set: string): string => `update link set ${set}`;
const token = (set: string): string => `update organisation_token set ${set}`;
const seen = (age: string): string =>
  `update organisation_account set claims_seen_at = now() - interval '${age}'`;
const ended = (age: string, cause: string): string =>
  token(`ended_at = now() - interval '${age}', end_cause = '${cause}'`);
const losing = (age: string): string =>
  link(`loss_found_at = now() - interval '${age}', loss_due_at = now() - interval '${age}'`);
const brake = (columns: string, values: string): string =>
  `insert into brake (${columns}) values (${values})`;

type Row = readonly [what: string, kinds: readonly string[], changes: readonly string[]];

const FOUND: readonly Row[] = [
  ["no refresh token", ["link_without_tokens"], [token("refresh_token_sealed = null")]],
  [
    "no tokens of the provider at all",
    ["claims_old", "link_without_tokens"],
    ["delete from organisation_token", seen("49 hours")],
  ],
  ["a grant in its grace", ["provider_grant_in_grace"], [ended("6 days 23 hours", "invalid_grant")]],
  ["a grant after its grace", ["provider_grant_ended"], [ended("7 days 1 hour", "invalid_request")]],
  ["a grant with a lost answer", ["provider_grant_lost"], [ended("30 days", "unanswered")]],
  ["a check overdue", ["check_overdue"], [link("check_due_at = now() - interval '61 minutes'")]],
  ["a push overdue", ["push_overdue"], [link("push_due_at = now() - interval '61 minutes'")]],
  ["old claims", ["claims_old"], [seen("49 hours")]],
  ["a loss that is held", ["losses_held"], [losing("2 hours"), brake("held_at", "now()")]],
  [
    "a loss that is held since others were released",
    ["losses_held"],
    [losing("2 hours"), brake("held_at, released_at", "now(), now() - interval '3 hours'")],
  ],
  [
    "a loss that was released and that nobody tells",
    ["loss_overdue"],
    [losing("2 hours"), brake("held_at, released_at", "now(), now() - interval '1 hour'")],
  ],
  ["a loss that nobody tells, without a brake", ["loss_overdue"], [losing("2 hours")]],
  ["something else at Discord", ["drift"], [link("drift_found_at = now()")]],
  [
    "a push that was never read back",
    ["drift"],
    [link("pushed_at = now() - interval '15 days', reconciled_at = null")],
  ],
  [
    "a link that was read back long ago",
    ["drift"],
    [link("pushed_at = now() - interval '29 days', reconciled_at = now() - interval '15 days'")],
  ],
  [
    "a connection that the member removed, also long ago",
    ["disconnected"],
    [
      link(
        "disconnected_at = now(), pushed_at = now() - interval '90 days', reconciled_at = now() - interval '80 days'",
      ),
    ],
  ],
  [
    "a grant that Discord has ended",
    ["discord_grant_ended"],
    ["update discord_token set ended_at = now(), end_cause = 'invalid_grant'"],
  ],
  ["a token that Discord refuses", ["discord_grant_ended"], [link("token_refused_at = now()")]],
  [
    "a grant that Discord has ended after it refused its tokens",
    ["discord_grant_ended"],
    [link("token_refused_at = now()"), "update discord_token set ended_at = now(), end_cause = 'unanswered'"],
  ],
  ["a push that fails", ["push_failing"], [link("push_failures = 5")]],
  [
    "a refresh at Discord without an answer",
    ["refresh_unanswered"],
    ["update discord_token set refresh_unanswered_since = now() - interval '2 hours'"],
  ],
];

const NOT_FOUND: readonly Row[] = [
  ["a check that is due since lately", [], [link("check_due_at = now() - interval '59 minutes'")]],
  ["claims of almost two days", [], [seen("47 hours")]],
  ["a loss that waits for a moment", [], [losing("1 minute")]],
  ["a brake that holds nothing", [], [brake("held_at", "now()")]],
  [
    "a link that was read back lately",
    [],
    [link("pushed_at = now() - interval '29 days', reconciled_at = now() - interval '13 days'")],
  ],
  ["a push that was never made", [], [link("pushed_metadata = null, pushed_at = null")]],
  [
    "an account without a link",
    [],
    [
      "delete from link",
      seen("90 days"),
      token("refresh_token_sealed = null, ended_at = now(), end_cause = 'invalid_grant'"),
    ],
  ],
];

describe("auditLinks()", () => {
  test.each([...FOUND, ...NOT_FOUND])("finds of %s: %p", async (_, kinds, changes) => {
    await addLink("7", ...changes);
    const before = await database.dump();

    const { findings } = await audit();

    expect(findings).toEqual(kinds.map((kind) => ({ kind, count: 1, examples: ["7"] })));
    expect(await database.dump()).toBe(before);
  });

  test("counts by SYNC_EVERY_HOURS, GRACE_DAYS and RECONCILE_DAYS", async () => {
    await addLink("1", seen("3 hours"), ended("1 minute", "invalid_grant"));
    await database.rows(link("pushed_at = now() - interval '3 days'"));
    const kindsFor = async (sync: typeof SYNC) => (await audit(sync)).findings.map(({ kind }) => kind);

    expect(await kindsFor({ everyHours: 1, graceDays: 0, reconcileDays: 1 })).toEqual([
      "claims_old",
      "drift",
      "provider_grant_ended",
    ]);
    expect(await kindsFor({ everyHours: 2, graceDays: 1, reconcileDays: 2 })).toEqual([
      "provider_grant_in_grace",
    ]);
  });

  test("names the first examples, and counts no further than it is told", async () => {
    for (let id = 1; id <= 7; id++) await addLink(String(id));
    await database.rows(link("disconnected_at = now() - discord_user_id::integer * interval '1 minute'"));
    const at = new Date();
    const limits = { failedOften: 5, exampleCount: 2, claimsSeenBefore: new Date(0), endedBefore: at };

    const [found] = (await audit()).findings;
    const [limited] = await queriesOf().listFindings({
      ...limits,
      overdueBefore: new Date(0),
      readBackBefore: new Date(0),
      mostCounted: 3,
    });

    expect(found).toEqual({ kind: "disconnected", count: 7, examples: ["7", "6", "5", "4", "3"] });
    expect(limited).toEqual({ kind: "disconnected", count: 3, examples: ["7", "6"] });
  });
});

describe("auditLinks() and stops of upkeep", () => {
  const stop = (since: string, until: string, cause: string) =>
    database.rows(
      `insert into upstream_budget (upstream, free_at, refusals, refusals_since, blocks, blocked_since, blocked_until, block_cause)
         values ('discord', now(), 0, now(), 0, ${since}, ${until}, '${cause}')
         on conflict (upstream) do update set blocked_since = excluded.blocked_since,
           blocked_until = excluded.blocked_until, block_cause = excluded.block_cause`,
    );
  const inFuture = (time: string) => `timestamptz '2031-01-01T00:00:00Z' + interval '${time}'`;
  const look = async () => {
    const now = () => new Date("2031-01-01T00:00:00Z");
    return (await auditLinks({ queries: queriesOf(), now, sync: SYNC })).findings;
  };

  test.each([
    ["address", "address_blocked"],
    ["global", "global_limit"],
    ["refusals", "too_many_refusals"],
  ])("says since when and until when it is stopped by %s", async (cause, kind) => {
    await stop(inFuture("-1 minute"), inFuture("2 minutes"), cause);

    const example = "discord since 2030-12-31T23:59:00.000Z until 2031-01-01T00:02:00.000Z";
    expect(await look()).toEqual([{ kind, count: 1, examples: [example] }]);
  });

  test("says nothing of one that is over, or that no correct clock can have written", async () => {
    await stop(inFuture("-9 minutes"), inFuture("0 minutes"), "global");
    const over = await look();
    await stop(inFuture("-9 minutes"), inFuture("66 minutes"), "global");

    expect([over, await look()]).toEqual([[], []]);
  });

  test("does not know since when the previous release has stopped it", async () => {
    await stop("null", inFuture("1 minute"), "global");

    expect(await look()).toMatchObject([{ examples: ["discord until 2031-01-01T00:01:00.000Z"] }]);
  });
});

describe("auditKeys()", () => {
  const keyOf = (id: string, byte: number) => ({ id, key: new Uint8Array(32).fill(byte) });
  const [first, second] = [keyOf("first", 1), keyOf("second", 2)];

  async function addSealed(id: string, key: typeof first): Promise<void> {
    const tokens = { accessToken: "a", refreshToken: "r" };
    const sealed = sealDiscordTokens({ tokenSealer: createSealer([key], "link tokens") }, id, tokens);
    await database.rows(`insert into discord_account values ('${id}', 'a', null, now(), now())`);
    await database.rows(
      `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
         values ('${id}', '${sealed.accessTokenSealed}', '${sealed.refreshTokenSealed}', 'identify', now(), now())`,
    );
  }

  test("names each key that is missing, however few tokens it has sealed", async () => {
    for (let id = 1; id <= 20; id++) await addSealed(String(id), second);
    await addSealed("21", first);
    const needs = { queries: queriesOf() };

    expect(await auditKeys(needs, [second, first])).toBe("sound");
    expect(await auditKeys(needs, [second])).toEqual({ kind: "key_missing", count: 1, examples: ["first"] });
    expect(await auditKeys(needs, [keyOf("first", 3)])).toEqual({
      kind: "key_missing",
      count: 2,
      examples: ["first", "second"],
    });
  });

  test("opens a stray token of an account as what the account itself has", async () => {
    const account = { issuer: "https://id.example", subject: "sub-1", accessToken: "a", refreshToken: "r" };
    const sealed = sealOrganisationTokens({ tokenSealer: createSealer([first], "link tokens") }, account);
    await database.rows(
      `insert into stray_token (stray_token_id, issuer, subject, refresh_token_sealed, obtained_at, due_at)
         values ('stray', '${account.issuer}', '${account.subject}', '${sealed.refreshTokenSealed}', now(), now())`,
    );
    const needs = { queries: queriesOf() };

    expect(await auditKeys(needs, [first])).toBe("sound");
    expect(await auditKeys(needs, [second])).toMatchObject({ kind: "key_missing", examples: ["first"] });
  });

  test("says that it cannot tell without TOKEN_KEYS, unless no token is stored", async () => {
    const needs = { queries: queriesOf() };

    const before = await auditKeys(needs, undefined);
    await addSealed("1", first);

    expect(before).toBe("sound");
    expect(await auditKeys(needs, undefined)).toBe("untold");
  });
});

test("janus audit explains every kind, and docs/operating.md has it", async () => {
  const kinds = [
    ...(await readText("sql/link/list_findings.sql")).matchAll(/ {6}'([a-z_]+)'(?: as kind)?,\n/g),
  ];
  const others = ["events_refused", "key_missing", ...Object.keys(STOP_REMEDIES)];
  const all = [...new Set([...kinds.map(([, kind = ""]) => kind), ...others])].sort();

  const documented = [...(await readText("docs/operating.md")).matchAll(/^\| `([a-z_]+)` \|/gm)];

  expect(all.length).toBe(24);
  expect(Object.keys(MEANINGS).sort()).toEqual(all);
  expect(all.filter((kind) => !documented.some(([, name]) => name === kind))).toEqual([]);
});
