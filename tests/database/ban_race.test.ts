/**
 * A ban and a link of the same moment, on PostgreSQL: in whichever order the two come, no link of a banned member is left
 * once both are done. docs/decisions/0050
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { STATEMENTS } from "../../lib/database/queries.ts";
import type { Prepared } from "../fixtures/few_members.ts";
import { describePair, prepareEnd, prepareFor } from "../fixtures/few_members.ts";
import { onPostgres } from "../harness/database.ts";
import { usePostgres } from "../harness/hooks.ts";

const ROUNDS = 40;
const LIMIT_MS = 120_000;
const NOW = new Date("2026-11-27T12:00:00Z");

/** A row that was just written keeps its statement for a moment, so that the two do meet. */
const LINGER = `
create function linger() returns trigger language plpgsql as $$
begin
  perform pg_sleep(random() * 0.004);
  return new;
end
$$;
${["flow", "organisation_account", "link", "ban"]
  .map(
    (table) => `create trigger linger before insert or update on ${table}
for each row when (current_setting('janus.lingers', true) = 'yes') execute function linger();`,
  )
  .join("\n")}`;

const database = usePostgres();
let setup: postgres.Sql;
let banning: postgres.Sql;
let linking: postgres.Sql;

function connect(settings: Readonly<Record<string, string>>): postgres.Sql {
  const options = { max: 1, fetch_types: false, onnotice: () => undefined, connection: settings };
  return postgres(database.config.url ?? "", options);
}
const send = (sql: postgres.Sql, { text, values }: Prepared) =>
  sql.unsafe(text, [...values] as postgres.ParameterOrJSON<never>[], { prepare: true });

/** What `addBan` does: it stores the ban, and then ends each link that it meets. */
async function ban(kind: "discord" | "subject"): Promise<number> {
  await send(banning, prepareFor("upsertBan", kind));
  const links = await send(banning, { text: STATEMENTS.listBannedLinks.text, values: [NOW, 20] });
  if (links.length > 0) await send(banning, prepareEnd());
  return links.length;
}

/** One after the other, in either order, in two rounds of five; else at once. */
async function meetIn<Met, Linked>(
  round: number,
  ban: () => Promise<Met>,
  link: () => Promise<Linked>,
): Promise<readonly [Met, Linked]> {
  if (round % 5 === 0) {
    const met = await ban();
    return [met, await link()];
  }
  if (round % 5 === 1) {
    const linked = await link();
    return [await ban(), linked];
  }
  return Promise.all([ban(), link()]);
}

/** How a round ended. */
async function readEnd(): Promise<unknown> {
  const [row] = await setup.unsafe(`
    select
      (select count(*)::integer from link) as links,
      (select count(*)::integer from ban) as bans,
      (select count(*)::integer from flow) as flows`);
  return row;
}

describe.if(onPostgres)("a ban and a link of the same moment", () => {
  beforeAll(async () => {
    setup = connect({});
    await setup.unsafe(LINGER);
    const lingering = { "janus.lingers": "yes" };
    [banning, linking] = [connect(lingering), connect(lingering)];
  });
  afterAll(() => Promise.all([setup?.end(), banning?.end(), linking?.end()]));

  test.each([
    ["discord", "finishProviderLeg"],
    ["subject", "finishProviderLeg"],
    ["discord", "confirmMove"],
    ["subject", "confirmMove"],
  ] as const)(
    "leave no link of a banned %s after %s",
    async (kind, writer) => {
      const ends: unknown[] = [];
      const orders = new Set<string>();

      for (let round = 0; round < ROUNDS; round += 1) {
        await setup.unsafe(describePair(writer, false));
        const link = () => send(linking, prepareFor(writer));
        const [met, linked] = await meetIn(round, () => ban(kind), link);
        orders.add(met > 0 ? "the link was first" : "the ban was first");
        // A move that meets a ban leaves its flow to the statement that says so.
        ends.push({
          ...((await readEnd()) as object),
          flows: 0,
          answered: writer === "confirmMove" || linked.length,
        });
      }

      const answered = writer === "confirmMove" ? true : 1;
      expect(ends).toEqual(ends.map(() => ({ links: 0, bans: 1, flows: 0, answered })));
      expect([...orders].sort()).toEqual(["the ban was first", "the link was first"]);
    },
    LIMIT_MS,
  );

  test("waits for a link that is being made, and for no reader", async () => {
    await setup.unsafe(describePair("finishProviderLeg", false));
    const holder = connect({});
    await holder.unsafe(`begin; select meets_ban('9', null, null, now())`);
    const order: string[] = [];

    const banned = ban("discord").then(() => order.push("the ban is stored"));
    const waiting =
      "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    while ((await setup.unsafe(waiting)).length === 0) await Bun.sleep(5);
    await setup.unsafe("select count(*) from ban");
    order.push("the other link is made");
    await holder.unsafe("commit");
    await banned;
    await holder.end();

    expect(order).toEqual(["the other link is made", "the ban is stored"]);
  });
});
