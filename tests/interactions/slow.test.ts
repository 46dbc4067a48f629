/** Commands while the database is slow or fails: Discord waits three seconds, so there is a sentence before that. */
import { beforeEach, describe, expect, test } from "bun:test";
import { openDatabase } from "../../lib/database/open.ts";
import { findSignatureFault } from "../../lib/discord/event_signature.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { receiveInteraction } from "../../lib/interactions/receive.ts";
import { DISCORD_PUBLIC_KEY, signEvent } from "../fixtures/discord_events.ts";
import { answerOf, GUILD, status, whois } from "../fixtures/interactions.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { trailOf } from "../harness/rows.ts";
import { linkNewMember, newUser } from "../harness/walk.ts";

/** What Discord waits. */
const PATIENCE_MS = 3_000;
const SLOW = "Janus kan inte svara just nu. Försök igen om en minut.";
const KEY = Buffer.from(DISCORD_PUBLIC_KEY, "hex");

const database = useDatabase();
const janus = useJanus(() =>
  startJanusWithForger({ database, environment: { DISCORD_PUBLIC_KEY, DISCORD_GUILD_IDS: GUILD } }),
);
beforeEach(() => janus.provider.reset());

const inSwedish = { by: "1", locale: "sv-SE" };

type Queries = typeof janus.deps.queries;

/** What a command is answered with if these statements do something else. */
async function receive(payload: object, replaced: Partial<Queries>) {
  const body = JSON.stringify(payload);
  const headers = signEvent(body, janus.clock.now());
  const deps = { ...janus.deps, queries: { ...janus.deps.queries, ...replaced } };
  const signed = {
    signature: headers["x-signature-ed25519"],
    timestamp: headers["x-signature-timestamp"],
    body: Buffer.from(body),
  };
  expect(findSignatureFault(KEY, signed, janus.clock.now())).toBeUndefined();
  return receiveInteraction(deps, KEY, signed);
}

const lastLine = () =>
  JSON.parse(janus.logLines.findLast((line) => line.includes("interaction_answered")) ?? "");

describe("receiveInteraction()", () => {
  test("says so in time if the database does not answer", async () => {
    const answers = await Promise.all(
      [status(inSwedish), whois("1", inSwedish)].map((payload) =>
        receive(payload, { listLinksOfMember: () => new Promise(() => undefined) }),
      ),
    );

    expect(answers).toEqual(Array(2).fill({ kind: "said", content: SLOW }));
    expect(lastLine()).toMatchObject({
      level: "error",
      outcome: "failed",
      reason: expect.stringContaining("2500 ms"),
    });
  });

  test("keeps no look in the trail that is found after the answer", async () => {
    const user = await linkNewMember(janus, { preferred_username: "anna" });
    const found = Promise.withResolvers<Awaited<ReturnType<Queries["listLinksOfMember"]>>>();
    const looks: unknown[] = [];

    const answer = await receive(whois(user, inSwedish), {
      listLinksOfMember: () => found.promise,
      receiveLook: (look) => {
        looks.push(look);
        return Promise.resolve(undefined);
      },
    });
    const { listLinksOfMember } = janus.deps.queries;
    found.resolve(await listLinksOfMember({ member: user, after: "", last: "", limit: 1 }));
    await found.promise;
    await Promise.resolve();

    expect(answer).toEqual({ kind: "said", content: SLOW });
    expect(looks).toEqual([]);
  });

  test("says the same if the database fails", async () => {
    const answer = await receive(status(inSwedish), {
      listLinksOfMember: () => Promise.reject(databaseUnavailable("it is gone")),
    });

    expect(answer).toEqual({ kind: "said", content: SLOW });
    expect(lastLine()).toMatchObject({
      outcome: "failed",
      code: "database_unavailable",
      reason: "it is gone",
    });
  });
});

describe.if(onPostgres)("a command while another process locks the links", () => {
  test("is answered with a sentence within three seconds, and shows nothing", async () => {
    const user = await linkNewMember(janus, { preferred_username: "anna" });
    const other = await openDatabase(database.config);
    const locked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holding = other.transaction(async (query) => {
      await query("lock table link in access exclusive mode");
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const from = performance.now();

    const answers = await Promise.all([
      answerOf(janus, status({ ...inSwedish, by: user })),
      answerOf(janus, whois(user, { ...inSwedish, by: newUser() })),
    ]);

    const took = performance.now() - from;
    release.resolve();
    await holding;
    await other.close();
    expect(answers).toEqual([SLOW, SLOW]);
    expect(took).toBeLessThan(PATIENCE_MS);
    expect(await trailOf(janus, user)).not.toContain("looked_at");
    expect(await answerOf(janus, status({ ...inSwedish, by: user }))).toContain("är kopplat");
  });
});
