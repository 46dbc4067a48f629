/** What docs/recovery.md says to do when TOKEN_KEYS is lost or stolen, step by step. A new ring stands for a restart. */
import { describe, expect, test } from "bun:test";
import type { RingKey } from "../../lib/crypto.ts";
import { createQueries } from "../../lib/database/queries.ts";
import { findKeyUse } from "../../lib/operator/key_use.ts";
import { rotateKeys } from "../../lib/operator/rotate_keys.ts";
import { tryTokenKeys } from "../../lib/operator/token_keys.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { makeRingKey } from "../fixtures/sealed_rows.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, organisationTokenOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { cookieOf, secretsOf, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database }));

const startWith = (...tokenKeys: readonly RingKey[]): void =>
  janus.shared.replaceSecrets({ ...janus.shared.config, tokenKeys });
const firstKey = (): RingKey => {
  const [key] = janus.config.tokenKeys;
  if (key === undefined) throw new Error("there is no key");
  return key;
};
const rotate = () =>
  rotateKeys(
    {
      queries: createQueries(database.db),
      now: janus.clock.now,
      sleep: () => Promise.resolve(),
      tokenKeys: janus.shared.config.tokenKeys,
    },
    { stop: new AbortController().signal, onProgress: () => Promise.resolve() },
  );
const statesOf = async () =>
  Object.fromEntries(
    (await findKeyUse({ queries: createQueries(database.db) }, janus.shared.config.tokenKeys)).map(
      ({ keyId, state }) => [keyId, state],
    ),
  );
const opens = async (...ring: readonly RingKey[]) =>
  (await tryTokenKeys({ queries: createQueries(database.db) }, ring)).unreadable.length === 0;

async function link(user = newUser()): Promise<string> {
  janus.provider.signInAs({ sub: `sub-of-${user}` });
  await linkMember(janus, user);
  return user;
}
const roleOf = (user: string) => janus.discord.roleConnection(user)?.metadata;
/** Days of upkeep: checks, refreshes and pushes. */
async function passDays(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 12) {
    janus.clock.advance(12 * 3_600);
    await runUpkeep(janus.deps);
  }
}

describe("a lost key", () => {
  test("leaves links, roles and sessions, and the members who follow the link again get on", async () => {
    const [returns, stays] = [await link(), await link()];
    const browser = await signIn(janus, newUser());
    const role = roleOf(stays);

    startWith(makeRingKey("k2"));
    const states = await statesOf();
    const rotated = await rotate();
    const session = await fetch(`${janus.url}/api/userinfo`, {
      headers: { cookie: cookieOf(secretsOf(janus, browser)) },
    });
    await link(returns);
    await passDays(10);

    expect(states).toEqual({ k2: "seals", k1: "missing" });
    expect(rotated).toMatchObject({ resealed: 0, unreadable: 4 });
    expect(await linkOf(janus, stays)).toMatchObject({
      clearedAt: null,
      checkFailedCode: "token_unreadable",
    });
    expect(await organisationTokenOf(janus, `sub-of-${stays}`)).toMatchObject({ endedAt: null });
    expect([role, roleOf(stays)]).toEqual([{ dsek_member: "1" }, { dsek_member: "1" }]);
    expect(await linkOf(janus, returns)).toMatchObject({ checkFailedCode: null });
    expect(String((await discordTokenOf(janus, returns))?.accessTokenSealed)).toStartWith("k2.");
    expect(linesOf(janus, "role_connection_not_cleared")).toEqual([]);
    expect(session.status).toBe(200);
  });

  test("that is found again, and put behind the new one, opens what it had sealed", async () => {
    const user = await link();
    const [lost, found] = [firstKey(), makeRingKey("k2")];
    startWith(found);
    await passDays(2);

    startWith(found, lost);
    const rotated = await rotate();
    const states = await statesOf();
    startWith(found);
    await passDays(9);

    expect(rotated).toMatchObject({ resealed: 2, left: 0, unreadable: 0 });
    expect(states).toEqual({ k2: "seals", k1: "unused" });
    expect(await linkOf(janus, user)).toMatchObject({ checkFailedCode: null });
    expect(roleOf(user)).toEqual({ dsek_member: "1" });
  });
});

describe("a stolen key", () => {
  test("opens nothing after the rotation, and no member notices", async () => {
    const user = await link();
    const [stolen, next] = [firstKey(), makeRingKey("k2")];

    startWith(next, stolen);
    const rotated = await rotate();
    const states = await statesOf();
    startWith(next);
    await passDays(9);

    expect(rotated).toMatchObject({ resealed: 2, left: 0, unreadable: 0 });
    expect(states).toEqual({ k2: "seals", k1: "unused" });
    expect([await opens(stolen), await opens(next)]).toEqual([false, true]);
    expect(await linkOf(janus, user)).toMatchObject({ checkFailedCode: null });
    expect(await discordTokenOf(janus, user)).toMatchObject({ endedAt: null });
    expect(roleOf(user)).toEqual({ dsek_member: "1" });
  });
});
