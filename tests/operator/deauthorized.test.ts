/** Links of members who have removed Janus at Discord, as the operator and the members themselves see them. */
import { beforeEach, expect, test } from "bun:test";
import { auditKeys, auditLinks } from "../../lib/operator/audit.ts";
import { examineDatabase } from "../../lib/operator/doctor/database_checks.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { DISCORD_PUBLIC_KEY, deauthorization, sendEvent } from "../fixtures/discord_events.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { callApi, signIn as signInAtDiscord } from "../harness/sign_in.ts";
import { linkNewMember } from "../harness/walk.ts";

const DAY_SECONDS = 86_400;

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, environment: { DISCORD_PUBLIC_KEY } }));
beforeEach(() => janus.provider.reset());

/** A member who was linked, and has removed Janus at Discord. */
async function deauthorized(): Promise<string> {
  const user = await linkNewMember(janus);
  janus.discord.endGrant(user);
  expect((await sendEvent(janus, deauthorization(user, janus.clock.now()))).status).toBe(204);
  await runUpkeep(janus.deps);
  return user;
}

test("auditLinks() names such a link once, however old its claims are", async () => {
  const user = await deauthorized();
  for (let day = 0; day < 30; day += 1) {
    janus.clock.advance(DAY_SECONDS);
    await runUpkeep(janus.deps);
  }

  const { findings } = await auditLinks({ ...janus.deps, sync: janus.config.sync });

  expect(findings).toEqual([{ kind: "discord_grant_ended", count: 1, examples: [user] }]);
});

test("auditKeys() and the doctor miss no key for tokens that are forgotten", async () => {
  await deauthorized();
  const given = { keys: janus.config, sync: janus.config.sync, now: janus.clock.now };

  expect(await auditKeys(janus.deps, janus.config.tokenKeys)).toBe("sound");
  const checks = await examineDatabase(database.db, given, false);
  expect(checks.filter(({ state }) => state === "fault")).toEqual([]);
});

test("GET /readyz is not concerned", async () => {
  await deauthorized();

  expect((await fetch(`${janus.url}/readyz`)).status).toBe(200);
});

test("a member's export and API say who has ended the grant, and when", async () => {
  const user = await deauthorized();
  janus.clock.advance(60);
  const browser = await signInAtDiscord(janus, user);

  const stored = await (await callApi(janus, "/api/me/export", { browser })).json();
  const seen = await (await callApi(janus, "/api/userinfo", { browser })).json();

  expect(JSON.stringify(stored)).toContain('"deauthorized"');
  expect(seen).toMatchObject({
    role: { status: "deauthorized" },
    link: { sync: { state: "deauthorized", since: expect.any(String) } },
  });
});

test("Sync now cannot tell Discord anything, and asks nothing", async () => {
  const user = await deauthorized();
  janus.clock.advance(60);
  const browser = await signInAtDiscord(janus, user);
  const calls = janus.discord.calls.length;

  const response = await callApi(janus, "/api/link/sync", { browser, method: "POST" });

  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ code: "grant_ended" });
  expect(janus.discord.calls.slice(calls).map(({ operation }) => operation)).not.toContain(
    "put_role_connection",
  );
});

test("auditLinks() does not mind wrong signatures that Discord sends among right ones", async () => {
  const at = new Date();
  await sendEvent(janus, deauthorization("200000000000000001", at), { isOurs: false });
  await runUpkeep(janus.deps);
  const before = await auditLinks({ ...janus.deps, sync: janus.config.sync });

  await sendEvent(janus, deauthorization("200000000000000001", at));
  await runUpkeep(janus.deps);
  const after = await auditLinks({ ...janus.deps, sync: janus.config.sync });

  expect(before.findings).toContainEqual({ kind: "events_refused", count: 1, examples: ["discord"] });
  expect(after.findings).toEqual([]);
  expect(after.events).toContainEqual({ source: "discord", outcome: "refused", count: 1 });
});
