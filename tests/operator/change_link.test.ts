/** What an operator does to a link: as the member would do it, and the trail keeps who it was, and tells the member less. */
import { describe, expect, test } from "bun:test";
import { databaseUnavailable } from "../../lib/errors.ts";
import { syncAsked, unlinkMember } from "../../lib/operator/change_link.ts";
import { syncNow } from "../../lib/sync/sync_now.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf, sessionsOf } from "../harness/rows.ts";
import { countOf } from "../harness/seen.ts";
import { callApi } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, forger: { freshSubjects: true } }));
const waiting = () => ({ stop: new AbortController().signal, onProgress: () => Promise.resolve() });

async function link() {
  const [user, browser] = [newUser(), createBrowser(janus.url)];
  await browser.get(await reachForgerCallback(browser, user));
  return { user, browser };
}
const trailOfOperator = (user: string) =>
  database.rows(
    `select action, operator, detail from audit_event where discord_user_id = '${user}' and operator is not null`,
  );

describe("unlinkMember()", () => {
  test("clears the role, ends both grants and the sessions, and keeps who did it and why", async () => {
    const { user } = await link();
    const before = countOf(janus, "delete_role_connection");

    const unlinked = await unlinkMember(janus.deps, {
      discordUserId: user,
      operator: "anna",
      reason: "has left",
    });

    expect(unlinked).toMatchObject({ outcome: "unlinked", discordTold: true, roleMayStay: false });
    expect([await linkOf(janus, user), await sessionsOf(janus, user)]).toEqual([undefined, []]);
    expect(countOf(janus, "delete_role_connection")).toBe(before + 1);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(await trailOfOperator(user)).toEqual([
      { action: "unlinked", operator: "anna", detail: { reason: "has left" } },
    ]);
  });

  test("throws not_linked for somebody without a link, and changes nothing", async () => {
    const before = await database.dump();

    const failing = unlinkMember(janus.deps, { discordUserId: "404", operator: "anna", reason: undefined });

    expect(await failing.catch(({ code }) => code)).toBe("not_linked");
    expect(await database.dump()).toBe(before);
  });
});

describe("syncAsked()", () => {
  test("syncs a member, and their own export says that an operator asked, without the name", async () => {
    const { user, browser } = await link();

    const { counts } = await syncAsked(
      janus.deps,
      { scope: { kind: "member", discordUserId: user }, operator: "Secret Name" },
      waiting(),
    );
    const exported = await (await callApi(janus, "/api/me/export", { browser })).text();

    expect(counts).toMatchObject({ checked: 1, failed: 0 });
    expect(await trailOfOperator(user)).toEqual([
      { action: "sync_asked", operator: "Secret Name", detail: { scope: "member" } },
    ]);
    const { audit_trail: trail } = JSON.parse(exported);
    expect(trail).toContainEqual(expect.objectContaining({ action: "sync_asked", by_operator: true }));
    expect(trail).toContainEqual(expect.objectContaining({ action: "linked", by_operator: false }));
    expect(exported).not.toContain("Secret Name");
  });

  test("leaves nothing in the trail for what is due anyway", async () => {
    const count = async () =>
      (await database.rows("select from audit_event where action = 'sync_asked'")).length;
    const before = await count();

    await syncAsked(janus.deps, { scope: { kind: "due" }, operator: "anna" }, waiting());

    expect(await count()).toBe(before);
  });
});

test("syncNow() leaves nothing in the trail of a banned member, whom it does not sync", async () => {
  const { user } = await link();
  await database.rows(
    `insert into ban (ban_id, discord_user_id, banned_at, operator) values (gen_random_uuid()::text, '${user}', now(), 'eva')`,
  );

  const syncing = syncNow(janus.request(), { discordUserId: user }, "anna");

  expect(await syncing.catch(({ code }) => code)).toBe("banned");
  expect(await trailOfOperator(user)).toEqual([]);
});

test("syncNow() keeps which operator has asked before it does anything, and once a minute", async () => {
  const { user } = await link();
  const request = janus.request();
  const away = { claimSync: () => Promise.reject(databaseUnavailable("for a test")) };
  const deps = { ...request, queries: { ...request.queries, ...away } };

  const failing = syncNow(deps, { discordUserId: user }, "anna");
  const failed = await failing.catch(({ code }) => code);
  const again = syncNow(request, { discordUserId: user }, "bo");
  const refused = await again.catch(({ code }) => code);

  expect([failed, refused]).toEqual(["database_unavailable", "sync_too_soon"]);
  expect(await trailOfOperator(user)).toEqual([
    { action: "sync_asked", operator: "anna", detail: { scope: "member" } },
  ]);
});
