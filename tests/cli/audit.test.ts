/** `janus audit`: what needs the operator, in words and for programs, and that it changes nothing. */
import { expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createQueries } from "../../lib/database/queries.ts";
import { auditLinks } from "../../lib/operator/audit.ts";
import { run } from "../fixtures/command.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase } from "../harness/hooks.ts";

const database = useDatabase();

const look = () => auditLinks({ queries: createQueries(database.db), now: () => new Date() });

/** A link of this member, as the flow would leave it, with what a test changes of its rows. */
async function addLink(id: string, link = "", token = ""): Promise<void> {
  const statements = [
    `insert into discord_account values ('${id}', 'a', null, now(), now())`,
    `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
       values ('${id}', 'a', 'r', 'identify', now() + interval '7 days', now())`,
    `insert into organisation_account values ('https://id.example', 'sub-${id}', '{}', now(), now())`,
    `insert into link (discord_user_id, issuer, subject, linked_at) values ('${id}', 'https://id.example', 'sub-${id}', now())`,
    ...(link === "" ? [] : [`update link set ${link} where discord_user_id = '${id}'`]),
    ...(token === "" ? [] : [`update discord_token set ${token} where discord_user_id = '${id}'`]),
  ];
  for (const statement of statements) await database.rows(statement);
}

test("auditLinks() counts the links and finds nothing while all is well", async () => {
  await addLink("1");
  await addLink("2", "push_due_at = now()");

  expect(await look()).toEqual({ links: 2, findings: [] });
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
  const folder = await mkdtemp(join(tmpdir(), "janus-audit-"));

  const { exitCode, stdout, stderr } = await run(folder, "index.ts", ["audit"], {});

  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toBe(
    "janus: there is no database in ./data yet: set DATA_DIR or DATABASE_URL as the server has it\n",
  );
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

test.skipIf(!onPostgres)("janus audit exits with 1 if it finds something, and says what to do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "janus-audit-"));
  const environment = { DATABASE_URL: database.config.url ?? "" };
  const well = await run(folder, "index.ts", ["audit"], environment);
  await database.rows("insert into role_connection_left values ('5', now())");

  const told = await run(folder, "index.ts", ["audit"], environment);
  const json = await run(folder, "index.ts", ["audit", "--json"], environment);

  expect([well.exitCode, well.stdout]).toEqual([0, "0 links. Nothing to do.\n"]);
  expect([told.exitCode, told.stderr]).toEqual([1, ""]);
  expect(told.stdout).toMatch(/role_connection_left {2}1\n.*by hand.*\n {2}5\n$/s);
  expect([json.exitCode, JSON.parse(json.stdout)]).toEqual([
    1,
    { links: 0, findings: [{ kind: "role_connection_left", count: 1, examples: ["5"] }] },
  ]);
  const unknown = await run(folder, "index.ts", ["audit", "--resolved", "6"], environment);
  const malformed = await run(folder, "index.ts", ["audit", "--resolved", "anna"], environment);
  const resolved = await run(folder, "index.ts", ["audit", "--resolved", "5"], environment);
  expect([unknown.exitCode, malformed.exitCode]).toEqual([2, 2]);
  expect([resolved.exitCode, resolved.stdout]).toEqual([0, "0 links. Nothing to do.\n"]);
  await rm(folder, { recursive: true });
});
