/** Every process tells at /readyz that losses are held, whichever process holds them, and asks for that by upkeep alone. */
import { beforeEach, describe, expect, test } from "bun:test";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import { secondsAfter } from "../../lib/time.ts";
import { serve } from "../fixtures/command.ts";
import { ISSUER } from "../fixtures/stored_link.ts";
import type { TestDatabase } from "../harness/database.ts";
import { emptyDatabase, onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { environmentFor, startJanusWithForger } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { linesOf } from "../harness/seen.ts";

const folder = useFolder("held-losses");
const asked: string[] = [];
const database = useDatabase((made): TestDatabase => {
  const query: TestDatabase["db"]["query"] = (text, ...rest) => {
    asked.push(text);
    return made.db.query(text, ...rest);
  };
  return { ...made, db: { ...made.db, query } };
});
const syncing = useJanus(() => startJanusWithForger({ database }));
/** A replica that serves members only. */
const serving = useJanus(() => startJanusWithForger({ database, environment: { SYNC: "off" } }));

const MEMBERS = 12;

/** No loss, and both know it. */
beforeEach(async () => {
  await emptyDatabase(database);
  for (const { deps } of [syncing, serving]) await runUpkeep(deps);
});

/** Members of whom each is to lose something, and whose claims were read just now. */
async function loseAll(): Promise<void> {
  const [now, later] = [0, 86_400].map(
    (seconds) => `timestamptz '${secondsAfter(syncing.clock.now(), seconds).toISOString()}'`,
  );
  const members = `generate_series(1, ${MEMBERS}) as n`;
  const statements = [
    `insert into discord_account select n::text, 'name', null, ${now}, ${now} from ${members}`,
    `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
       select n::text, 'a', 'r', 'identify', ${now} + interval '7 days', ${now} from ${members}`,
    `insert into organisation_account select '${ISSUER}', 'sub-' || n, '{}', ${now}, ${now} from ${members}`,
    `insert into link (discord_user_id, issuer, subject, linked_at, pushed_metadata, pushed_at, check_due_at,
       loss_found_at, loss_due_at)
       select n::text, '${ISSUER}', 'sub-' || n, ${now}, '{"dsek_member": "1"}', ${now}, ${later}, ${now}, ${now}
       from ${members}`,
  ];
  for (const statement of statements) await database.rows(statement);
}

const loseNothing = () => database.rows("update link set loss_found_at = null, loss_due_at = null");

async function readyz({ url }: { readonly url: string }) {
  const response = await fetch(`${url}/readyz`);
  const body = (await response.json()) as { readonly status: string; readonly warnings?: readonly string[] };
  const { status, warnings = [] } = body;
  return { http: response.status, status, warnings };
}

const WELL = { http: 200, status: "ready", warnings: [] };
const HOLDING = { http: 200, status: "ready", warnings: ["losses_held"] };

describe("GET /readyz", () => {
  test("tells of held losses in each process, with 200, until the brake lets go", async () => {
    await Promise.all([syncing, serving].map(({ deps }) => deps.oidc.prepare()));
    await loseAll();
    const told = linesOf(syncing, "losses_held").length;
    const before = await Promise.all([readyz(syncing), readyz(serving)]);

    await runUpkeep(syncing.deps);
    const first = await Promise.all([readyz(syncing), readyz(serving)]);
    await runUpkeep(serving.deps);
    const second = await readyz(serving);
    await loseNothing();
    await runUpkeep(syncing.deps);
    await runUpkeep(serving.deps);
    const after = await Promise.all([readyz(syncing), readyz(serving)]);

    expect({ before, first, second, after }).toEqual({
      before: [WELL, WELL],
      first: [HOLDING, WELL],
      second: HOLDING,
      after: [WELL, WELL],
    });
    expect(linesOf(syncing, "losses_held").slice(told)).toMatchObject([
      { level: "error", reason: expect.stringMatching(/^12 of 12 links would lose something/) },
    ]);
    expect(linesOf(serving, "losses_held")).toEqual([]);
  });

  test("reads the brake by upkeep, at once when that starts, and never for a request", async () => {
    await database.rows("insert into brake (held_at) values (now())");
    const from = asked.length;
    await readyz(serving);
    const byRequest = asked.slice(from).filter((text) => text.includes("brake"));

    const upkeep = startUpkeep(serving.deps);
    while ((await readyz(serving)).warnings.length === 0) await Bun.sleep(1);
    await upkeep.stop();

    expect(byRequest).toEqual([]);
    expect(asked.slice(from).filter((text) => text === STATEMENTS.findBrakeHeld.text)).toHaveLength(1);
  });

  test.skipIf(!onPostgres)(
    "tells of them in a process that has just started beside the one that holds",
    async () => {
      const environment = {
        ...environmentFor(`http://127.0.0.1:${freePort()}`, syncing.discord, syncing.provider.issuer),
        DATABASE_URL: database.config.url ?? "",
        SYNC: "off",
      };
      await syncing.deps.oidc.prepare();
      await loseAll();
      await runUpkeep(syncing.deps);

      const server = await serve(folder, { ...environment, HOST: "127.0.0.1", PORT: "0" });
      let answer = await readyz({ url: server.address });
      while (!answer.warnings.includes("losses_held") || answer.http !== 200) {
        await Bun.sleep(20);
        answer = await readyz({ url: server.address });
      }
      await server.stop();

      expect(await readyz(syncing)).toEqual(HOLDING);
      expect(answer).toMatchObject({
        http: 200,
        status: "ready",
        warnings: expect.arrayContaining(["losses_held"]),
      });
    },
  );
});
