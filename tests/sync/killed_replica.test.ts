/**
 * Two replicas on one database. One gets an event and is killed at each step on the way from there to Discord; its sender,
 * who has no answer, sends the event again to the other one. The event has its effect, once.
 */
import { beforeEach, expect, test } from "bun:test";
import { PUSH_LEASE_SECONDS } from "../../lib/sync/push.ts";
import { HOOK_SECRET, signHook } from "../fixtures/hook.ts";
import { logoutClaims } from "../fixtures/logout.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { startReplicaBeside } from "../fixtures/year_replica.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf, sessionsOf, trailOf } from "../harness/rows.ts";
import { linkMember, newUser } from "../harness/walk.ts";
import { createKey, signToken } from "../standins/forger_tokens.ts";

const KEY = createKey("ES256", "es-1");
const RULES = `
platform_username = 'claims.preferred_username'
[[record]]
key = "staff"
type = "boolean_equal"
name = "Staff"
description = "Is in the group staff"
value = '"staff" in sources.scim.groups'
`;
/** More than any event takes. */
const MOST_STEPS = 200;
const LIMIT_MS = 120_000;

const folder = useFolder("killed-replica");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({
    database,
    environment: { SCIM_TOKEN, HOOK_SECRET, ...(await writeRules(folder, RULES)) },
    forger: { key: KEY },
  }),
);
beforeEach(() => {
  // A process that is killed cannot store what it was answered.
  janus.provider.override({ forgivesLostAnswers: true });
});

const replica = () => startReplicaBeside(janus, database);

type Member = { readonly user: string; readonly sub: string; readonly id: string; readonly group: string };

/** Losses of others would be too many for the brake. */
async function forgetAll(): Promise<void> {
  for (const table of ["brake", "link", "scim_member", "scim_group", "scim_user"])
    await database.rows(`delete from ${table}`);
}

/** A member who is linked, signed in, and provisioned. */
async function linked(): Promise<Member> {
  janus.clock.advance(3_700);
  await forgetAll();
  const user = newUser();
  const sub = `subject-of-${user}`;
  janus.provider.signInAs({ sub, preferred_username: "anna" });
  const id = await scimClient(janus).createUser({ userName: newName("user"), externalId: sub });
  const group = await scimClient(janus).createGroup({ displayName: "staff" });
  await linkMember(janus, user);
  return { user, sub, id, group };
}

const scimRequest = (path: string, operation: Readonly<Record<string, unknown>>) => {
  const body = JSON.stringify({
    schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    Operations: [operation],
  });
  const headers = { authorization: `Bearer ${SCIM_TOKEN}`, "content-type": "application/scim+json" };
  return () => new Request(`${janus.url}/scim/v2${path}`, { method: "PATCH", headers, body });
};
const logoutRequest = (sub: string) => {
  const claims = logoutClaims(janus.provider.issuer, janus.clock.now(), sub);
  const body = new URLSearchParams({ logout_token: signToken(claims, { typ: "logout+jwt" }, KEY) });
  return () => new Request(`${janus.url}/oidc/backchannel-logout`, { method: "POST", body });
};
const heldBy = ({ user }: Member) => janus.discord.roleConnection(user);

type Event = {
  readonly requestOf: (member: Member) => () => Request;
  /** What the trail has of it. */
  readonly action: string;
  readonly isDone: (member: Member) => unknown;
};
const EVENTS: readonly (readonly [string, Event])[] = [
  [
    "a logout, after which the provider says something else",
    {
      requestOf: ({ sub }) => {
        janus.provider.setIdentity({ sub, preferred_username: "anna-b" });
        return logoutRequest(sub);
      },
      action: "provider_logout",
      isDone: async (member) =>
        heldBy(member)?.platform_username === "anna-b" && (await sessionsOf(janus, member.user)).length === 0,
    },
  ],
  [
    "a SCIM client that deactivates a user",
    {
      requestOf: ({ id }) => scimRequest(`/Users/${id}`, { op: "replace", path: "active", value: false }),
      action: "membership_ended",
      isDone: (member) => heldBy(member) === undefined,
    },
  ],
  [
    "a SCIM client that adds a user to a group",
    {
      requestOf: ({ id, group }) =>
        scimRequest(`/Groups/${group}`, { op: "add", path: "members", value: [{ value: id }] }),
      action: "recheck_asked",
      isDone: (member) => heldBy(member)?.metadata.staff === "1",
    },
  ],
];

// Only PostgreSQL has two replicas.
test.if(onPostgres).each(EVENTS)(
  "Two replicas, one of them killed at any step, act once on %s",
  async (_, { requestOf, action, isDone }) => {
    const wrong: unknown[] = [];
    let isSpared = false;
    for (let steps = 0; !isSpared && steps < MOST_STEPS; steps += 1) {
      const member = await linked();
      const [killed, other] = [replica(), replica()];
      const request = requestOf(member);

      killed.killAfter(steps);
      await killed.ask(request());
      await killed.keepUp();
      isSpared = !killed.isDead();
      const answer = await other.ask(request());
      janus.clock.advance(PUSH_LEASE_SECONDS + 1);
      await other.keepUp();

      const times = (await trailOf(janus, member.user)).filter((one) => one === action).length;
      const status = answer?.status ?? 0;
      if (!(await isDone(member)) || times !== 1 || status >= 300)
        wrong.push({ steps, status, times, held: heldBy(member) });
    }

    expect(wrong).toEqual([]);
    expect(isSpared).toBe(true);
  },
  LIMIT_MS,
);

type Answer = { readonly rechecked: number; readonly unknown: number };
/** Where the members stand in a request of many subjects, each in a statement of its own. */
const PLACES = [0, 120, 240];

test.if(onPostgres)(
  "A request of many subjects whose replica is killed is finished by its repeat, once",
  async () => {
    const wrong: unknown[] = [];
    let isSpared = false;
    for (let steps = 0; !isSpared && steps < MOST_STEPS; steps += 1) {
      await forgetAll();
      const users = PLACES.map(() => newUser());
      const subjects = Array.from({ length: 250 }, (_, index) => `nobody-${index}`);
      for (const [index, user] of users.entries()) {
        const sub = `subject-of-${user}`;
        janus.provider.signInAs({ sub, preferred_username: "anna" });
        await linkMember(janus, user);
        subjects[PLACES[index] ?? 0] = sub;
      }
      const body = JSON.stringify({ subjects, gone: true });
      const headers = signHook(body, janus.clock.now());
      const request = () => new Request(`${janus.url}/hooks/recheck`, { method: "POST", headers, body });
      const [killed, other] = [replica(), replica()];

      killed.killAfter(steps);
      await killed.ask(request());
      isSpared = !killed.isDead();
      const answer = (await (await other.ask(request()))?.json()) as Answer;

      const ended = await Promise.all(
        users.map(async (user) => {
          const times = (await trailOf(janus, user)).filter((one) => one === "membership_ended").length;
          return (await linkOf(janus, user))?.goneSource === "hook" && times === 1;
        }),
      );
      const isCounted = answer.rechecked <= PLACES.length && answer.unknown <= 250 - PLACES.length;
      if (ended.includes(false) || !isCounted) wrong.push({ steps, ended, answer });
    }

    expect(wrong).toEqual([]);
    expect(isSpared).toBe(true);
  },
  LIMIT_MS,
);
