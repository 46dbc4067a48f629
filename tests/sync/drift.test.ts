/** Drift: what Discord did not keep is recorded and told again, and stays a finding until Discord is read to have it. */
import { expect, test } from "bun:test";
import { auditLinks } from "../../lib/operator/audit.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database }));

const DAY_SECONDS = 86_400;
/** More than one reading makes. */
const TRIES = 10;
const HAS_ANOTHER = { status: 200, body: { platform_username: null, metadata: { dsek_member: "0" } } };

const drift = async () => {
  const { findings } = await auditLinks({ ...janus.deps, sync: janus.config.sync });
  return findings.filter(({ kind }) => kind === "drift");
};
const pushes = () =>
  janus.discord.calls.filter(({ operation }) => operation === "put_role_connection").length;

test("checkDueLinks() records what Discord did not keep, tells it again, and reads it at the next check", async () => {
  const user = newUser();
  await linkMember(janus, user);
  janus.clock.advance(8 * DAY_SECONDS);
  const before = pushes();
  janus.discord.failNext("get_role_connection", HAS_ANOTHER);

  await runUpkeep(janus.deps);
  const found = await drift();
  const told = pushes() - before;
  janus.clock.advance(2 * DAY_SECONDS);
  await runUpkeep(janus.deps);

  expect(found).toEqual([{ kind: "drift", count: 1, examples: [user] }]);
  expect(told).toBe(1);
  expect(await drift()).toEqual([]);
  expect(pushes() - before).toBe(1);
});

test("checkDueLinks() leaves drift a finding while Discord cannot be asked", async () => {
  const user = newUser();
  await linkMember(janus, user);
  janus.clock.advance(8 * DAY_SECONDS);
  janus.discord.failNext("get_role_connection", HAS_ANOTHER);
  await runUpkeep(janus.deps);
  janus.clock.advance(2 * DAY_SECONDS);
  janus.discord.failNext("get_role_connection", { status: 403, body: {} }, TRIES);

  await runUpkeep(janus.deps);

  expect(await drift()).toEqual([{ kind: "drift", count: 1, examples: [user] }]);
});
