/** A restored database beside servers that have gone on after the backup: old tokens take no role from anybody. */
import { beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { auditLinks } from "../../lib/operator/audit.ts";
import { restoreBackup } from "../../lib/operator/backup/fill.ts";
import { makeBackupFile, ownBackupOf } from "../../lib/operator/backup/make_backup.ts";
import { openBackup } from "../../lib/operator/backup/open_backup.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { MEMBER_RECORD, writeRules } from "../fixtures/rules_file.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, organisationTokenOf } from "../harness/rows.ts";
import { linkMember, newUser, subjectOf } from "../harness/walk.ts";

const RULES = MEMBER_RECORD;
const DAY_SECONDS = 86_400;
/** Later than any check that was put off by its jitter. */
const NEXT_CHECK_SECONDS = 27 * 3_600;

const folder = useFolder("restored");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);
beforeEach(() => janus.provider.reset());

const says = (user: string, groups: readonly string[]) =>
  janus.provider.setIdentity({ sub: subjectOf(user), preferred_username: "anna", groups: [...groups] });
const heldBy = (user: string) => janus.discord.roleConnection(user)?.metadata;

async function signIn(user: string, groups: readonly string[] = ["members"]): Promise<void> {
  janus.provider.signInAs({ sub: subjectOf(user), preferred_username: "anna", groups: [...groups] });
  await linkMember(janus, user);
  await runUpkeep(janus.deps);
}

async function passTime(seconds = NEXT_CHECK_SECONDS): Promise<void> {
  janus.clock.advance(seconds);
  await runUpkeep(janus.deps);
}

const NEVER = new AbortController().signal;
const ignore = (): Promise<void> => Promise.resolve();
let files = 0;

async function backUp(): Promise<string> {
  files += 1;
  const path = join(folder, `${files}.backup`);
  const { now } = janus.clock;
  const write = ownBackupOf(database.db, { now, onTotal: () => undefined, onRows: ignore, stop: NEVER });
  await makeBackupFile(path, { force: false }, write, { programs: "", stop: NEVER });
  return path;
}

/** Does in another database what a restore does, and puts its rows in the place of those of this Janus. */
async function restore(path: string): Promise<void> {
  const target = await createTestDatabase({ migrated: false });
  const filling = { now: janus.clock.now, operator: "anna", onRows: ignore, stop: NEVER };
  await restoreBackup(target.db, await openBackup(path, { programs: "", stop: NEVER }), DAY_SECONDS, filling);
  await replaceRows(target);
  await target.drop();
}

const RESTORED = [
  "discord_account",
  "discord_token",
  "organisation_account",
  "organisation_token",
  "link",
  "session",
  "flow",
  "stray_token",
  "brake",
  "backup",
] as const;

async function replaceRows(target: TestDatabase): Promise<void> {
  await database.rows(
    `with ${RESTORED.map((table) => `${table}_gone as (delete from ${table})`).join(", ")} select`,
  );
  for (const table of RESTORED) {
    const rows = await target.rows(`select to_jsonb(${table}) as line from ${table}`);
    const lines = rows.map(({ line }) => line as Readonly<Record<string, unknown>>);
    await database.db.query(
      `insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1)`,
      [lines],
    );
  }
}

describe("a database that was restored from a backup", () => {
  test("takes no role from a member whose refresh tokens were spent after the backup", async () => {
    const user = newUser();
    await signIn(user);
    const path = await backUp();
    for (let days = 0; days < 9; days += 1) await passTime();
    const sentAgain = janus.provider.sentAgain.length;

    await restore(path);
    for (let days = 0; days < 20; days += 1) await passTime();

    expect(janus.provider.sentAgain.length).toBeGreaterThan(sentAgain);
    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({ endCause: "unanswered" });
    expect(await linkOf(janus, user)).toMatchObject({ clearedAt: null, lossDueAt: null });
    expect(heldBy(user)).toEqual({ member: "1" });
    const { findings } = await auditLinks({ ...janus.deps, sync: janus.config.sync });
    expect(findings.map(({ kind }) => kind)).toContain("provider_grant_lost");
  });

  test("does not tell Discord again what it knows by a backup alone, while nobody can read the claims", async () => {
    const user = newUser();
    await signIn(user, []);
    await passTime();
    const path = await backUp();
    says(user, ["members"]);
    for (let days = 0; days < 3; days += 1) await passTime();
    const gained = heldBy(user);

    await restore(path);
    for (let days = 0; days < 40; days += 1) await passTime();

    expect(gained).toEqual({ member: "1" });
    expect(await linkOf(janus, user)).toMatchObject({ pushedMetadata: { member: "0" } });
    expect(heldBy(user)).toEqual({ member: "1" });
  });

  test("goes on as before where no token was spent, and its marks are no finding", async () => {
    const user = newUser();
    await signIn(user);
    const path = await backUp();

    await restore(path);
    const marked = await organisationTokenOf(janus, subjectOf(user));
    janus.clock.advance(2 * 3_600);
    const { findings } = await auditLinks({ ...janus.deps, sync: janus.config.sync });
    says(user, []);
    await passTime();
    await passTime();

    expect(marked?.refreshUnansweredSince).toEqual(expect.any(Date));
    expect(findings.map(({ kind }) => kind)).not.toContain("refresh_unanswered");
    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({
      endCause: null,
      refreshUnansweredSince: null,
    });
    expect(heldBy(user)).toEqual({ member: "0" });
  });

  test("is right again once the member signs in", async () => {
    const user = newUser();
    await signIn(user);
    const path = await backUp();
    for (let days = 0; days < 2; days += 1) await passTime();
    await restore(path);
    await passTime();
    await passTime();

    await signIn(user, []);

    expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({
      endCause: null,
      refreshUnansweredSince: null,
    });
    expect(await discordTokenOf(janus, user)).toMatchObject({ refreshUnansweredSince: null });
    expect(heldBy(user)).toEqual({ member: "0" });
  });

  test("takes nothing by a loss that was due at the time of the backup, if the claims say otherwise now", async () => {
    const user = newUser();
    await signIn(user);
    await database.rows(
      `update link set loss_found_at = linked_at, loss_due_at = linked_at, push_due_at = linked_at
       where discord_user_id = '${user}'`,
    );
    await database.rows(`update organisation_account set claims = claims || '{"groups": []}'`);
    const path = await backUp();

    await restore(path);
    await runUpkeep(janus.deps);
    const atOnce = heldBy(user);
    await passTime();
    await passTime();

    expect(atOnce).toEqual({ member: "1" });
    expect(heldBy(user)).toEqual({ member: "1" });
  });

  test("gives a member in grace the whole grace again, and leaves one without a role as they are", async () => {
    const [inGrace, cleared] = [newUser(), newUser()];
    for (const user of [inGrace, cleared]) await signIn(user);
    await database.rows(
      `update organisation_token set ended_at = timestamptz '2026-01-01', end_cause = 'invalid_grant'`,
    );
    await database.rows(
      `update link set cleared_at = timestamptz '2026-01-09', clear_cause = 'grant_ended'
       where discord_user_id = '${cleared}'`,
    );
    const path = await backUp();

    const from = janus.clock.now();
    await restore(path);

    const { endedAt } = (await organisationTokenOf(janus, subjectOf(inGrace))) ?? {};
    expect(endedAt instanceof Date && endedAt >= from).toBe(true);
    expect((await organisationTokenOf(janus, subjectOf(cleared)))?.endedAt).toEqual(
      new Date("2026-01-01T00:00:00Z"),
    );
  });

  test("has no session, no flow and no lease of before, and its checks are spread", async () => {
    const users = Array.from({ length: 8 }, newUser);
    for (const user of users) await signIn(user);
    await database.rows("update link set check_leased_until = check_due_at, check_failures = 3");
    await database.rows("update discord_token set leased_until = expires_at");
    const path = await backUp();

    await restore(path);

    const links = await database.rows("select check_due_at, check_leased_until, check_failures from link");
    const leases = "select discord_user_id from discord_token where leased_until is not null";
    const times = links.map(({ checkDueAt }) => (checkDueAt as Date).getTime());
    const now = janus.clock.now().getTime();
    expect(await database.rows("select 1 as one from session union all select 1 from flow")).toEqual([]);
    expect(await database.rows(leases)).toEqual([]);
    expect(
      links.filter(({ checkLeasedUntil, checkFailures }) => checkLeasedUntil !== null || checkFailures !== 0),
    ).toEqual([]);
    expect(new Set(times).size).toBe(users.length);
    expect(times.every((time) => time >= now && time <= now + DAY_SECONDS * 1_000)).toBe(true);
  });
});

test("a restored database waits for no refresh that failed before the backup", async () => {
  const user = newUser();
  await signIn(user);
  const waiting = "refresh_retry_at = now() + interval '50 minutes', refresh_refusals = 1";
  for (const table of ["discord_token", "organisation_token"])
    await database.rows(`update ${table} set ${waiting}`);

  await restore(await backUp());

  expect(await discordTokenOf(janus, user)).toMatchObject({ refreshRetryAt: null });
  expect(await organisationTokenOf(janus, subjectOf(user))).toMatchObject({ refreshRetryAt: null });
});
