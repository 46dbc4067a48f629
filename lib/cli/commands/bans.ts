/** `janus bans`: accounts that may not link. `bans_add.ts` and `bans_remove.ts` have what changes them. */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import { createQueries } from "../../database/queries.ts";
import type { Ban } from "../../operator/bans.ts";
import { listBans } from "../../operator/bans.ts";
import { now } from "../../server/world.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print } from "../output.ts";
import { formatTable } from "../table.ts";
import { shortTime } from "../times.ts";
import { withStoredDatabase } from "../with_database.ts";
import { describeAccounts } from "./bans_account.ts";
import { addBansAdd } from "./bans_add.ts";
import { addBansRemove } from "./bans_remove.ts";

const EXAMPLES = examples(
  'janus bans add --member anna --reason "sells roles"',
  "janus bans add --discord 80351110224678912 --until 30d",
  "janus bans list",
  "janus bans remove --discord 80351110224678912",
);

/** Adds the command. */
export function addBans(program: Command): void {
  const bans = program
    .command("bans")
    .helpCommand(false)
    .description("keep Discord accounts, or accounts at the provider, from linking")
    .addHelpText("after", EXAMPLES);
  addBansAdd(bans);
  addBansRemove(bans);
  bans
    .command("list")
    .description("list the bans in force, the newest first, with reason, end and who has asked for them")
    .addHelpText("after", examples("janus bans list", "janus bans list --json"))
    .action(async (_: unknown, command: Command) => {
      const { json } = readCommon(command);
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      await withStoredDatabase(config, json, async (db) => {
        const pages = listBans({ queries: createQueries(db), now });
        await (json ? printJson(pages) : printTable(pages));
      });
    });
}

type Pages = AsyncIterable<readonly Ban[]>;

/** Page by page, however many there are. */
async function printTable(pages: Pages): Promise<void> {
  let isEmpty = true;
  for await (const page of pages) {
    const head = isEmpty ? [["account", "since", "until", "operator", "reason"]] : [];
    await print(formatTable([...head, ...page.map(rowOf)]));
    isEmpty = false;
  }
  if (isEmpty) await print("Nobody is banned.");
}

const MOST_SHOWN = 500;
const rowOf = (ban: Ban): readonly string[] => [
  describeAccounts(ban),
  shortTime(ban.bannedAt),
  ban.expiresAt === null ? "no end" : shortTime(ban.expiresAt),
  printable(ban.operator),
  ban.reason === null ? "" : printable(ban.reason, MOST_SHOWN),
];

/** One object, on one line for each page. */
async function printJson(pages: Pages): Promise<void> {
  let line = '{"bans":[';
  let isFirst = true;
  for await (const page of pages) {
    const items = page.map((ban) => JSON.stringify(viewBan(ban))).join(",");
    if (isFirst) line += items;
    else {
      await print(line);
      line = `,${items}`;
    }
    isFirst = false;
  }
  await print(`${line}]}`);
}

const viewBan = ({ discordUserId, issuer, subject, bannedAt, expiresAt, reason, operator }: Ban) => ({
  discord_user_id: discordUserId,
  issuer,
  subject,
  banned_at: bannedAt.toISOString(),
  until: expiresAt?.toISOString() ?? null,
  reason,
  operator,
});
