/** `janus audit`: what needs the operator, in words and for programs, and that it changes nothing. */
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { createQueries } from "../../lib/database/queries.ts";
import { auditLinks } from "../../lib/operator/audit.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";
import { randomKey } from "../harness/janus.ts";

const database = useDatabase();
const folder = useFolder("audit");
const host = useCommandHost(folder);

const SYNC = { everyHours: 24, graceDays: 7, reconcileDays: 7 };
const look = () => auditLinks({ queries: createQueries(database.db), now: () => new Date(), sync: SYNC });

/** A link of this member, as the flow would leave it, with what a test changes of its rows. */
async function addLink(id: string, link = "", token = ""): Promise<void> {
  const statements = [
    `insert into discord_account values ('${id}', 'a', null, now(), now())`,
    `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
       values ('${id}', 'a', 'r', 'identify', now() + interval '7 days', now())`,
    `insert into organisation_account values ('https://id.example', 'sub-${id}', '{}', now(), now())`,
    `insert into organisation_token (issuer, subject, access_token_sealed, refresh_token_sealed, obtained_at)
       values ('https://id.example', 'sub-${id}', 'a', 'r', now())`,
    `insert into link (discord_user_id, issuer, subject, linked_at) values ('${id}', 'https://id.example', 'sub-${id}', now())`,
    ...(link === "" ? [] : [`update link set ${link} where discord_user_id = '${id}'`]),
    ...(token === "" ? [] : [`update discord_token set ${token} where discord_user_id = '${id}'`]),
  ];
  for (const statement of statements) await database.rows(statement);
}

test("auditLinks() counts the links and finds nothing while all is well", async () => {
  await addLink("1");
  await addLink("2", "push_due_at = now()");

  expect(await look()).toEqual({ links: 2, findings: [], events: [] });
});

test("auditLinks() lists each kind with count and examples, and changes nothing", async () => {
  for (let id = 1; id <= 7; id++)
    await database.rows(
      `insert into role_connection_left values ('${id}', now() + interval '${id} seconds')`,
    );
  await addLink("11", "push_failures = 5");
  await addLink("12", "push_due_at = now() - interval '2 hours'");
  await addLink("13", "", "refresh_unanswered_since = now() - interval '2 hours'");
  await addLink("14", "", "clear_due_at = now(), end_failures = 6");
  const before = await database.dump();

  const { links, findings } = await look();

  expect(links).toBe(4);
  expect(findings).toEqual([
    { kind: "push_failing", count: 1, examples: ["11"] },
    { kind: "push_overdue", count: 1, examples: ["12"] },
    { kind: "refresh_unanswered", count: 1, examples: ["13"] },
    { kind: "role_connection_clear_failing", count: 1, examples: ["14"] },
    { kind: "role_connection_left", count: 7, examples: ["1", "2", "3", "4", "5"] },
  ]);
  expect(await database.dump()).toBe(before);
});

test("janus audit makes no database where it finds none, and says so", async () => {
  const { exitCode, stdout, stderr } = await host.run("index.ts", ["audit"], {});

  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toBe(
    "janus: there is no database in ./data yet: set DATA_DIR or DATABASE_URL as the server has it\n",
  );
  expect(await readdir(folder)).toEqual([]);
});

test.skipIf(!onPostgres)("janus audit exits with 1 if it finds something, and says what to do", async () => {
  const environment = { DATABASE_URL: database.config.url ?? "" };
  const well = await host.run("index.ts", ["audit"], environment);
  await database.rows("insert into role_connection_left values ('5', now())");

  const told = await host.run("index.ts", ["audit"], environment);
  const json = await host.run("index.ts", ["audit", "--json"], environment);

  expect([well.exitCode, well.stdout]).toEqual([0, "0 links. Nothing to do.\n"]);
  expect([told.exitCode, told.stderr]).toEqual([1, ""]);
  expect(told.stdout).toMatch(/role_connection_left {2}1\n.*by hand.*\n {2}5\n$/s);
  expect([json.exitCode, JSON.parse(json.stdout)]).toEqual([
    1,
    { links: 0, findings: [{ kind: "role_connection_left", count: 1, examples: ["5"] }], events: [] },
  ]);
  const unknown = await host.run("index.ts", ["audit", "--resolved", "6"], environment);
  const malformed = await host.run("index.ts", ["audit", "--resolved", "anna"], environment);
  const resolved = await host.run("index.ts", ["audit", "--resolved", "5"], {
    ...environment,
    JANUS_OPERATOR: "anna",
  });
  expect([unknown.exitCode, malformed.exitCode]).toEqual([2, 2]);
  expect([resolved.exitCode, resolved.stdout]).toEqual([0, "0 links. Nothing to do.\n"]);
  expect(
    await database.rows("select action, operator, detail from audit_event where discord_user_id = '5'"),
  ).toEqual([{ action: "role_connection_cleared", operator: "anna", detail: { cause: "resolved" } }]);
});

test.skipIf(!onPostgres)("janus audit says which keys are missing, or that it cannot tell", async () => {
  const environment = { DATABASE_URL: database.config.url ?? "" };
  await addLink("1");
  await database.rows(
    "update discord_token set access_token_sealed = 'old.a', refresh_token_sealed = 'old.r'",
  );
  await database.rows(
    "update organisation_token set access_token_sealed = 'old.a', refresh_token_sealed = 'old.r'",
  );
  const withKeys = (TOKEN_KEYS: string) =>
    host.run("index.ts", ["audit", "--json"], { ...environment, TOKEN_KEYS });

  const [untold, missing, malformed] = await Promise.all([
    host.run("index.ts", ["audit", "--json"], environment),
    withKeys(`new:${randomKey()}`),
    withKeys("canary"),
  ]);

  expect([untold.exitCode, JSON.parse(untold.stdout)]).toEqual([0, { links: 1, findings: [], events: [] }]);
  expect(JSON.parse(untold.stderr).warning).toStartWith(
    "TOKEN_KEYS is not set here, so the audit cannot tell",
  );
  expect([missing.exitCode, missing.stderr, JSON.parse(missing.stdout)]).toEqual([
    1,
    "",
    { links: 1, findings: [{ kind: "key_missing", count: 1, examples: ["old"] }], events: [] },
  ]);
  expect([malformed.exitCode, malformed.stdout]).toEqual([2, ""]);
  expect(malformed.stderr).toContain("TOKEN_KEYS");
  expect(malformed.stderr).not.toContain("canary");
});

test.skipIf(!onPostgres)(
  "janus audit counts ten thousand of a kind, and says that there may be more",
  async () => {
    await database.rows(
      "insert into role_connection_left select n::text, now() + n * interval '1 second' from generate_series(1, 10001) as n",
    );

    const { stdout } = await host.run("index.ts", ["audit"], { DATABASE_URL: database.config.url ?? "" });

    expect(stdout).toMatch(/^role_connection_left {2}10000 or more$/m);
    expect(stdout).toMatch(/^ {2}1, 2, 3, 4, 5, and many more$/m);
  },
);

test.skipIf(!onPostgres)("janus audit names the senders of refused events, and no more of them", async () => {
  await database.rows(`insert into event_count (source, outcome, day, events)
    values ('logout', 'refused', now(), 24), ('scim', 'refused', now(), 20000)`);

  const { stdout } = await host.run("index.ts", ["audit"], { DATABASE_URL: database.config.url ?? "" });

  expect(stdout).toMatch(/^events_refused {2}20024$/m);
  expect(stdout).toMatch(/^ {2}logout, scim$/m);
});
