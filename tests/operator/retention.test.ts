/** How long the trail is kept: of whom and of when rows go, that nothing else removes one, and that it is done in pages. */
import { describe, expect, test } from "bun:test";
import { createQueries } from "../../lib/database/queries.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";

const DAY_SECONDS = 86_400;
const ISSUER = "https://id.example";
const NOW = new Date("2031-01-01T00:00:00Z");

const database = useDatabase();

const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * DAY_SECONDS * 1_000);

/** One page, as upkeep asks for it: what happened more than 400 days before. */
const deleteOld = (limit = 1_000, at = NOW) =>
  createQueries(database.db).deleteOldAuditEvents({ occurredBefore: daysAgo(400), now: at, limit });

/** Members of this test file's own: the trail of the others stays where it is. */
let members = 0;
const newMember = (): string => String(1_000 + members++);

async function addLink(id: string): Promise<void> {
  for (const statement of [
    `insert into discord_account values ('${id}', 'a', null, now(), now())`,
    `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
       values ('${id}', 'k.a', 'k.r', 'identify', now(), now())`,
    `insert into organisation_account values ('${ISSUER}', 'sub-${id}', '{}', now(), now())`,
    `insert into link (discord_user_id, issuer, subject, linked_at) values ('${id}', '${ISSUER}', 'sub-${id}', now())`,
  ])
    await database.rows(statement);
}

/** A row of the trail. `of` names the accounts: the Discord account, the subject, both, or nobody. */
async function addEvent(id: string, days: number, of: "discord" | "subject" | "both" = "both") {
  const account = of === "discord" ? "null, null" : `'${ISSUER}', 'sub-${id}'`;
  await database.rows(
    `insert into audit_event (occurred_at, action, discord_user_id, issuer, subject, request_id)
       values ('${daysAgo(days).toISOString()}', 'signed_in', ${of === "subject" ? "null" : `'${id}'`}, ${account}, 'of ${id}')`,
  );
}

const countOf = async (id: string): Promise<number> =>
  (await database.rows(`select 1 as one from audit_event where request_id = 'of ${id}'`)).length;

const countAll = async (): Promise<number> =>
  (await database.rows("select 1 as one from audit_event")).length;

describe("deleteOldAuditEvents()", () => {
  test.each([
    ["an old row of a person without a link", 401, "both", false, 0],
    ["an old row of a Discord account alone", 401, "discord", false, 0],
    ["an old row of an organisation account alone", 401, "subject", false, 0],
    ["a row that is not old yet", 399, "both", false, 1],
    ["an old row of a person who is linked", 900, "both", true, 1],
    ["an old row of a Discord account that is linked", 900, "discord", true, 1],
    ["an old row of an organisation account that is linked", 900, "subject", true, 1],
  ] as const)("%s, of %i days: %s, linked: %p, leaves %i", async (_, days, of, isLinked, left) => {
    const id = newMember();
    if (isLinked) await addLink(id);
    await addEvent(id, days, of);

    await deleteOld();

    expect(await countOf(id)).toBe(left);
  });

  test("keeps what names nobody, such as what an operator did for all", async () => {
    await database.rows(
      `insert into audit_event (occurred_at, action, request_id) values ('${daysAgo(900).toISOString()}', 'signed_in', 'of nobody')`,
    );

    await deleteOld();

    expect(await countOf("nobody")).toBe(1);
  });

  test("reads no more than a page, and goes on where it ended", async () => {
    const id = newMember();
    for (let event = 0; event < 7; event++) await addEvent(id, 500);
    const before = await countAll();
    const pages: { readonly read: number; readonly deleted: number }[] = [];

    for (let page = 0; page * 3 <= before; page++)
      pages.push((await deleteOld(3)) ?? { read: Number.NaN, deleted: 0 });

    expect(pages.every(({ read }) => read <= 3)).toBe(true);
    expect(pages.reduce((sum, { deleted }) => sum + deleted, 0)).toBe(before - (await countAll()));
    expect(await countOf(id)).toBe(0);
  });

  test("begins again a day later, and not before", async () => {
    await deleteOld();
    const id = newMember();
    await addEvent(id, 401);

    expect(await deleteOld(1_000, new Date(NOW.getTime() + (DAY_SECONDS - 1) * 1_000))).toEqual({
      read: 0,
      deleted: 0,
    });
    expect(await countOf(id)).toBe(1);
    await deleteOld(1_000, new Date(NOW.getTime() + DAY_SECONDS * 1_000));
    expect(await countOf(id)).toBe(0);
  });

  test("is done by two at once without a row too many", async () => {
    const id = newMember();
    for (let event = 0; event < 5; event++) await addEvent(id, 500);
    const before = await countAll();

    const [first, second] = await Promise.all([deleteOld(), deleteOld()]);

    expect((first?.deleted ?? 0) + (second?.deleted ?? 0)).toBe(before - (await countAll()));
    expect(await countOf(id)).toBe(0);
  });
});

describe("the trail", () => {
  const refused = /append-only|restrict|23001/;
  const isRefused = (statement: string): Promise<boolean> =>
    database.rows(statement).then(
      () => false,
      (error: Error) => refused.test(`${error.message} ${String(error.cause)}`),
    );

  test("refuses a delete after that as before it", async () => {
    const id = newMember();
    await addEvent(id, 900);
    await addEvent(newMember(), 10);

    const before = await isRefused("delete from audit_event where occurred_at < '2030-01-01'");
    await deleteOld();

    expect([before, await isRefused("delete from audit_event")]).toEqual([true, true]);
  });

  test("refuses to delete of who has a link, even with the setting of the one statement", async () => {
    const id = newMember();
    await addLink(id);
    await addEvent(id, 900);

    const refusal = await isRefused(
      `with setting as materialized (select set_config('janus.audit_retention', 'on', true) as value)
       delete from audit_event using setting where setting.value = 'on' and request_id = 'of ${id}'`,
    );

    expect([refusal, await countOf(id)]).toEqual([true, 1]);
  });
});

describe("runUpkeep()", () => {
  const janus = useJanusForEach(() =>
    startJanusWithForger({ database, environment: { RETENTION_DAYS: "30" } }),
  );

  test("keeps the trail of who has no link for RETENTION_DAYS", async () => {
    const [old, young] = [newMember(), newMember()];
    const at = (days: number): string =>
      new Date(janus.clock.now().getTime() - days * DAY_SECONDS * 1_000).toISOString();
    for (const [id, days] of [
      [old, 31],
      [young, 29],
    ] as const)
      await database.rows(
        `insert into audit_event (occurred_at, action, discord_user_id, request_id) values ('${at(days)}', 'signed_in', '${id}', 'of ${id}')`,
      );

    await runUpkeep(janus.deps);

    expect([await countOf(old), await countOf(young)]).toEqual([0, 1]);
  });

  test.each([
    ["en", "older than 30 days"],
    ["sv", "äldre än 30 dagar"],
    ["de", "älter als 30 Tage"],
  ])("and /about says so to members, in %s", async (language, said) => {
    const response = await fetch(`${janus.url}/about`, { headers: { "accept-language": language } });

    expect(await response.text()).toContain(said);
  });
});
