/**
 * `janus explain --all` over many stored links: links a second, and memory after a tenth of them and at the end. It makes a
 * database of its own on the PostgreSQL that BENCH_DATABASE_URL names. `bun run bench:explain [links]`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { migrateUp } from "../../lib/database/migrations.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { createQueries } from "../../lib/database/queries.ts";
import { countEffect } from "../../lib/operator/effect.ts";
import { parseRules } from "../../lib/rules/file.ts";
import { fillWithLinkedMembers } from "../fixtures/linked_members.ts";
import { ROOT } from "../fixtures/source.ts";
import { createDatabase, dropDatabase } from "./databases.ts";

const LINKS = Number(process.argv[2] ?? 100_000);
const MEGABYTE = 1_048_576;

/** Three records of different types, one of them unknown for a tenth of the members. */
const RULES = `platform_username = "claims.preferred_username"
[admit]
when = '!("banned" in claims.groups)'
message.en = "No."
[[record]]
key = "member"
type = "boolean_equal"
name = "Member"
description = "Is a member"
value = '"group-1" in claims.groups || claims.groups.exists(g, g.startsWith("board"))'
[[record]]
key = "points"
type = "integer_greater_than_or_equal"
name = "Points"
description = "Points"
value = 'int(claims.points)'
[[record]]
key = "since"
type = "datetime_less_than_or_equal"
name = "Since"
description = "Member since"
value = 'timestamp(claims.since)'
`;

/** Claims of some 400 bytes, with ten groups. */
const CLAIMS = `update organisation_account set claims = jsonb_build_object(
  'preferred_username', subject,
  'groups', (select jsonb_agg('group-' || (length(subject) + n)) from generate_series(1, 10) as n),
  'since', '2024-10-01T00:00:00Z'
) || case when right(subject, 1) = '7' then '{}' else '{"points": 12}' end::jsonb`;
const PUSHED = `update link set pushed_metadata = '{"member": "1", "points": "11"}', pushed_at = linked_at`;

const parsed = await parseRules("rules.toml", RULES);
if (!("rules" in parsed)) throw new Error(JSON.stringify(parsed.faults));
const { rules } = parsed;

const url = await createDatabase();
const folder = await mkdtemp(join(tmpdir(), "janus-explain-"));
try {
  const db = await openDatabase({ url, password: undefined, libpq: {}, dataDir: "unused", prepare: true });
  await migrateUp(db, () => new Date());
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await fillWithLinkedMembers(sql, LINKS, new Date());
  for (const statement of [CLAIMS, PUSHED, "vacuum analyze"]) await sql.unsafe(statement);
  await sql.end();

  const memory = new Map<number, number>();
  const started = performance.now();
  await countEffect(
    { queries: createQueries(db), now: () => new Date(), sleep: (ms) => Bun.sleep(ms) },
    rules,
    {
      stop: new AbortController().signal,
      onPage: async (links) => void memory.set(links, process.memoryUsage.rss()),
    },
  );
  const seconds = (performance.now() - started) / 1_000;
  await db.close();
  const samples = [...memory];
  const tenth = samples.find(([links]) => links >= LINKS / 10)?.[1] ?? 0;
  const report = {
    links: LINKS,
    linksASecond: Math.round(LINKS / seconds),
    rssAtTenthMB: Math.round(tenth / MEGABYTE),
    rssAtEndMB: Math.round((samples.at(-1)?.[1] ?? 0) / MEGABYTE),
  };
  console.log(JSON.stringify(report));

  const file = join(folder, "rules.toml");
  await Bun.write(file, RULES);
  const began = performance.now();
  const child = Bun.spawn([process.execPath, "run", join(ROOT, "index.ts"), "explain", "--all"], {
    cwd: folder,
    env: { DATABASE_URL: url, RULES_FILE: file },
  });
  console.log(await new Response(child.stdout).text());
  await child.exited;
  const command = {
    exitCode: child.exitCode,
    seconds: Math.round((performance.now() - began) / 100) / 10,
    mostRssMB: Math.round((child.resourceUsage()?.maxRSS ?? 0) / MEGABYTE),
  };
  console.log(JSON.stringify(command));
} finally {
  await dropDatabase(url);
  await rm(folder, { recursive: true });
}
