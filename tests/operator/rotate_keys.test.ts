/** The rotation of TOKEN_KEYS: every token ends under the first key, and nothing that a server is doing is undone. */
import { describe, expect, test } from "bun:test";
import { createQueries } from "../../lib/database/queries.ts";
import type { Query } from "../../lib/database/run.ts";
import { countToReseal, findKeyUse } from "../../lib/operator/key_use.ts";
import { rotateKeys } from "../../lib/operator/rotate_keys.ts";
import { tryTokenKeys } from "../../lib/operator/token_keys.ts";
import {
  addSealedLinks,
  addSealedStrays,
  ISSUER,
  makeRingKey,
  openAll,
  sealerOf,
} from "../fixtures/sealed_rows.ts";
import { useDatabase } from "../harness/hooks.ts";

/** Called before a statement that stores sealed tokens. */
let beforeStore: (() => Promise<unknown>) | undefined;
const database = useDatabase((real) => {
  const query: Query = async (text, ...rest) => {
    if (text.includes("held_access_token")) {
      const before = beforeStore;
      beforeStore = undefined;
      await before?.();
    }
    return real.db.query(text, ...rest);
  };
  return { ...real, db: { ...real.db, query } };
});

const [K1, K2, LOST] = [makeRingKey("k1"), makeRingKey("k2"), makeRingKey("k0")];
const BOTH = [K2, K1];
const NOW = new Date();

type Change = {
  readonly onSleep?: () => Promise<unknown>;
  readonly stop?: AbortSignal;
  readonly ring?: typeof BOTH;
};

async function rotate({ onSleep, stop = new AbortController().signal, ring = BOTH }: Change = {}) {
  let [sleeps, done] = [0, 0];
  const rotation = await rotateKeys(
    {
      queries: createQueries(database.db),
      now: () => NOW,
      sleep: async () => {
        sleeps += 1;
        await onSleep?.();
      },
      tokenKeys: ring,
    },
    {
      stop,
      onProgress: async (rows) => {
        done = rows;
      },
    },
  );
  return { ...rotation, sleeps, done };
}

describe("rotateKeys()", () => {
  test("seals every token of every table again with the first key, and each opens as before", async () => {
    await addSealedLinks({ database }, [K1], 1_100);
    await addSealedStrays({ database }, [K1]);
    const before = await openAll({ database }, [K1]);

    const rotation = await rotate();

    const after = await openAll({ database }, [K2]);
    expect(before.wrong).toEqual([]);
    expect(rotation).toEqual({
      resealed: 2_202,
      left: 0,
      unreadable: 0,
      unreadableRows: [],
      sleeps: 0,
      done: 2_202,
    });
    expect(after.wrong).toEqual([]);
    expect(after.byKey).toEqual({ k2: before.byKey.k1 ?? 0 });
    expect(await rotate()).toMatchObject({ resealed: 0, left: 0 });
  });

  test("forgets a crowded-out token, which is a copy of a stray one", async () => {
    await addSealedLinks({ database }, [K1], 1);
    await database.rows(
      `update organisation_token set crowded_out_token = '{"kind": "access_token", "sealed": "k1.x"}'`,
    );

    await rotate();

    expect(
      await database.rows("select 1 as held from organisation_token where crowded_out_token is not null"),
    ).toEqual([]);
  });

  test.each([
    ["a refresh at Discord", "discord_token", "leased_until = now() + interval '5 minutes'"],
    [
      "a refresh at Discord without an answer",
      "discord_token",
      "refresh_unanswered_since = now() - interval '5 minutes'",
    ],
    ["an end at the provider", "organisation_token", "leased_until = now() + interval '5 minutes'"],
    [
      "a refresh at the provider",
      "organisation_token",
      "refresh_unanswered_since = now() - interval '5 minutes'",
    ],
    ["a check", "link", "check_leased_until = now() + interval '5 minutes'"],
  ])("leaves the row of %s alone, and comes back to it", async (_, table, columns) => {
    await addSealedLinks({ database }, [K1], 3);
    const [column = ""] = columns.split(" ");
    await database.rows(`update ${table} set ${columns}`);

    const busy = await rotate();
    const during = await openAll({ database }, BOTH);
    const freed = await rotate({ onSleep: () => database.rows(`update ${table} set ${column} = null`) });

    expect(busy).toMatchObject({ resealed: 3, left: 3, sleeps: 11 });
    expect([Object.keys(during.byKey).sort(), during.wrong]).toEqual([["k1", "k2"], []]);
    expect(freed).toMatchObject({ resealed: 3, left: 0, sleeps: 1 });
    expect(await openAll({ database }, [K2])).toMatchObject({ wrong: [] });
  });

  test("takes a refresh that has had no answer for a day, and an old lease, for over", async () => {
    await addSealedLinks({ database }, [K1], 2);
    for (const table of ["discord_token", "organisation_token"])
      await database.rows(
        `update ${table} set refresh_unanswered_since = now() - interval '25 hours', leased_until = now() - interval '1 hour'`,
      );

    expect(await rotate()).toMatchObject({ resealed: 4, left: 0, sleeps: 0 });
  });

  test.each(["discord_token", "organisation_token"])(
    "does not overwrite a row of %s that changes meanwhile",
    async (table) => {
      const [id = ""] = await addSealedLinks({ database }, [K1], 2);
      const context =
        table === "discord_token"
          ? `${table}.access_token:${id}`
          : `${table}.access_token:["${ISSUER}","sub-${id}"]`;
      const newer = sealerOf([K1]).seal("newer", context);
      const key = table === "discord_token" ? `discord_user_id = '${id}'` : `subject = 'sub-${id}'`;
      beforeStore = async () => {
        // The second table is stored by the second such statement.
        const change = () =>
          database.rows(`update ${table} set access_token_sealed = '${newer}' where ${key}`);
        if (table === "discord_token") await change();
        else beforeStore = change;
      };

      const rotation = await rotate();

      const [row] = (await database.rows(
        `select access_token_sealed as sealed from ${table} where ${key}`,
      )) as {
        sealed: string;
      }[];
      expect(rotation).toMatchObject({ resealed: 4, left: 0, sleeps: 1 });
      expect(sealerOf([K2]).open(row?.sealed ?? "", context)).toBe("newer");
    },
  );

  test("counts and names rows that no key opens, seals what opens, and loses nothing", async () => {
    const [first = "", second = ""] = await addSealedLinks({ database }, [K1], 2);
    const lost = sealerOf([LOST]).seal("lost", `discord_token.refresh_token:${first}`);
    await database.rows(
      `update discord_token set refresh_token_sealed = '${lost}' where discord_user_id = '${first}'`,
    );
    await database.rows(
      `update organisation_token set access_token_sealed = 'no seal' where subject = 'sub-${second}'`,
    );

    const rotation = await rotate();
    const again = await rotate();

    const found = await rotate({ ring: [K2, K1, LOST] });
    expect(rotation).toMatchObject({
      resealed: 4,
      left: 0,
      unreadable: 2,
      unreadableRows: [`discord_token ${first}`, `organisation_token sub-${second} at ${ISSUER}`],
    });
    expect(again).toMatchObject({ resealed: 0, left: 0, unreadable: 2 });
    expect(found).toMatchObject({ resealed: 1, unreadable: 1 });
    const [row] = (await database.rows(
      `select refresh_token_sealed as sealed from discord_token where discord_user_id = '${first}'`,
    )) as { sealed: string }[];
    expect(sealerOf([K2]).open(row?.sealed ?? "", `discord_token.refresh_token:${first}`)).toBe("lost");
  });

  test("ends after the page under way when it is told to stop, and another run goes on from there", async () => {
    await addSealedLinks({ database }, [K1], 1_200);
    const stopping = new AbortController();
    beforeStore = async () => stopping.abort();

    const stopped = await rotate({ stop: stopping.signal });
    const rest = await rotate();

    expect(stopped).toMatchObject({ resealed: 500, left: 0 });
    expect(rest).toMatchObject({ resealed: 1_900 });
    expect(await openAll({ database }, [K2])).toMatchObject({ wrong: [] });
  });

  test("seals each row once where two run at the same time", async () => {
    await addSealedLinks({ database }, [K1], 1_500);

    const both = await Promise.all([rotate(), rotate()]);

    expect(both.reduce((sum, { resealed }) => sum + resealed, 0)).toBe(3_000);
    expect(both.map(({ left, unreadable }) => [left, unreadable])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(await openAll({ database }, [K2])).toMatchObject({ wrong: [] });
  });
});

describe("findKeyUse()", () => {
  const find = (ring: typeof BOTH) => findKeyUse({ queries: createQueries(database.db) }, ring);

  test("counts the rows of each key by table, and says which key may go", async () => {
    await addSealedLinks({ database }, [K1], 3);
    await addSealedStrays({ database }, [K1]);
    for (const table of ["link", "discord_token"])
      await database.rows(`delete from ${table} where discord_user_id = '800000000000000000'`);

    const before = await find([K2, K1]);
    const due = countToReseal(before, "k2");
    await rotate();

    const none = { discord_token: 0, organisation_token: 0, stray_token: 0 };
    const all = { discord_token: 2, organisation_token: 3, stray_token: 2 };
    expect(before).toEqual([
      { keyId: "k2", state: "seals", rows: none },
      { keyId: "k1", state: "opens", rows: all },
    ]);
    expect(due).toBe(7);
    expect(await find([K2, K1])).toEqual([
      { keyId: "k2", state: "seals", rows: all },
      { keyId: "k1", state: "unused", rows: none },
    ]);
  });

  test("leaves out a member who has removed Janus in Discord, who has no tokens", async () => {
    await addSealedLinks({ database }, [K1], 2);
    await database.rows(`update discord_token
      set access_token_sealed = '', refresh_token_sealed = '', ended_at = now(), end_cause = 'deauthorized'`);

    const before = await find([K1]);
    const result = await rotate();

    expect(before.map(({ keyId }) => keyId)).toEqual(["k1"]);
    expect(JSON.stringify(result)).not.toContain("800000000000000000");
  });

  test("counts a row for every key that has sealed a token in it", async () => {
    const [id = ""] = await addSealedLinks({ database }, [K1], 1);
    const replaced = sealerOf([LOST]).seal(
      "old",
      `organisation_token.access_token:["${ISSUER}","sub-${id}"]`,
    );
    const access = sealerOf([K2]).seal("new", `organisation_token.access_token:["${ISSUER}","sub-${id}"]`);
    await database.db.query(`update organisation_token set access_token_sealed = $1, replaced_tokens = $2`, [
      access,
      [{ kind: "access_token", sealed: replaced }],
    ]);

    const use = await find(BOTH);

    expect(use.map(({ keyId, state, rows }) => [keyId, state, rows.organisation_token])).toEqual([
      ["k2", "seals", 1],
      ["k1", "opens", 1],
      ["k0", "missing", 1],
    ]);
  });

  test("tells a key that is missing, and another key under the same id", async () => {
    await addSealedLinks({ database }, [K1], 1);

    const [missing, differs] = [await find([K2]), await find([K2, { ...LOST, id: "k1" }])];

    expect(missing.map(({ keyId, state }) => [keyId, state])).toEqual([
      ["k2", "seals"],
      ["k1", "missing"],
    ]);
    expect(differs.map(({ keyId, state }) => [keyId, state])).toEqual([
      ["k2", "seals"],
      ["k1", "differs"],
    ]);
  });

  test("finds nothing in an empty database", async () => {
    expect((await find(BOTH)).map(({ state }) => state)).toEqual(["seals", "unused"]);
  });
});

test("tryTokenKeys() opens a stray token that is sealed for an account", async () => {
  await addSealedStrays({ database }, [K1]);

  expect(await tryTokenKeys({ queries: createQueries(database.db) }, [K1])).toEqual({
    samples: 3,
    unreadable: [],
  });
});
