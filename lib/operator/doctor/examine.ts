/**
 * Every check, the groups at the same time. Each has a deadline, so that a server which hangs holds nothing up but its own
 * checks. A check that comes to nothing is unknown, never left out.
 */
import type { DatabaseConfig } from "../../config/database_settings.ts";
import type { Config } from "../../config/load.ts";
import type { Database } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { asJanusError } from "../../errors.ts";
import { settlesWithin } from "../../time.ts";
import type { World } from "../../wiring.ts";
import type { Check, CheckGroup, CheckId } from "./check.ts";
import { CHECK_GROUPS, unknown } from "./check.ts";
import { checkClock, noteClock } from "./clock_checks.ts";
import { checkConfiguration } from "./configuration_checks.ts";
import { checkDatabase } from "./database_checks.ts";
import { checkDiscord } from "./discord_checks.ts";
import { checkProvider } from "./provider_checks.ts";
import { checkPublicUrl } from "./public_url_checks.ts";
import type { Settings } from "./settings.ts";

/** What examining works with. */
export type Examination = {
  readonly settings: Settings;
  readonly world: World;
  /** Opens the database, which the examination closes. */
  readonly open: (place: DatabaseConfig["database"]) => Promise<Database>;
  /** What a group may take. */
  readonly groupMs?: number;
  /** Called with the groups that are still under way, each time that one has ended. */
  readonly onProgress?: (left: readonly CheckGroup[]) => void;
};

/** Two requests one after the other, each with its deadline, and a little more. */
const GROUP_MS = 20_000;

/** Examines everything. Never throws. All checks are there, in the order of `CHECK_GROUPS`. */
export async function examine(examination: Examination): Promise<readonly Check[]> {
  const { settings, groupMs = GROUP_MS, onProgress = () => undefined } = examination;
  const left = new Set<CheckGroup>(Object.keys(CHECK_GROUPS).filter(isGroup));
  const found = await Promise.all(
    [...left].map(async (group) => {
      const checks = await inTime(group, groupMs, GROUPS[group](examination));
      left.delete(group);
      onProgress([...left]);
      return complete(group, checks, settings);
    }),
  );
  return found.flat();
}

const isGroup = (name: string): name is CheckGroup => Object.hasOwn(CHECK_GROUPS, name);

const GROUPS: Readonly<Record<CheckGroup, (examination: Examination) => Promise<readonly Check[]>>> = {
  configuration: async ({ settings }) => checkConfiguration(settings),
  database: examineDatabase,
  public_url: async ({ settings, world }) =>
    settings.publicUrl === undefined ? [] : (await checkPublicUrl(settings.publicUrl, world)).checks,
  discord: examineDiscord,
  provider: examineProvider,
};

async function inTime(
  group: CheckGroup,
  ms: number,
  work: Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    if (await settlesWithin(work, ms)) return await work;
    return allUnknown(group, "There was no answer in time.");
  } catch (error) {
    return allUnknown(group, asJanusError(error).message);
  }
}

const allUnknown = (group: CheckGroup, detail: string): readonly Check[] =>
  CHECK_GROUPS[group].map((id) => unknown(id, detail, "Run the doctor again later."));

/** All checks of a group in their order. What nobody could ask for lack of configuration is unknown. */
function complete(group: CheckGroup, checks: readonly Check[], { faults }: Settings): readonly Check[] {
  const detail = faults === undefined ? "It was not examined." : "Variables that it needs have faults.";
  return CHECK_GROUPS[group].map(
    (id: CheckId) =>
      checks.find((check) => check.id === id) ?? unknown(id, detail, "Mend the configuration first."),
  );
}

async function examineDatabase({ settings, world, open }: Examination): Promise<readonly Check[]> {
  const { database, keys, sync, publicUrl } = settings;
  if (database === undefined) return [];
  const { checks, isHeld } = await checkDatabase(database, { keys, sync: sync?.sync, now: world.now }, open);
  if (!isHeld || publicUrl === undefined) return checks;
  const answered = await checkPublicUrl(publicUrl, world, "database");
  return answered.database.length === 0 ? checks : answered.database;
}

async function examineDiscord({ settings, world, open }: Examination): Promise<readonly Check[]> {
  const { discord, database, rules } = settings;
  if (discord === undefined) return [];
  const clock = noteClock(world);
  const asked = { ...world, fetch: clock.fetch };
  const checks = await withQueries(discord, database, open, (queries) =>
    checkDiscord(discord, rules, queries, asked),
  );
  return [...checks, checkClock("discord_clock", clock)];
}

async function examineProvider({ settings, world }: Examination): Promise<readonly Check[]> {
  const { provider, rules } = settings;
  if (provider === undefined) return [];
  const clock = noteClock(world);
  const checks = await checkProvider(provider, rules, { ...world, fetch: clock.fetch });
  return [...checks, checkClock("provider_clock", clock)];
}

/** The database remembers which records were registered, and is asked only where Discord cannot be. */
async function withQueries<Result>(
  { discord }: Pick<Config, "discord">,
  place: DatabaseConfig["database"] | undefined,
  open: Examination["open"],
  work: (queries: ReturnType<typeof createQueries> | undefined) => Promise<Result>,
): Promise<Result> {
  // The embedded one takes one process at a time, and the checks of the database have it now.
  if (discord.botToken !== undefined || place?.url === undefined) return work(undefined);
  let db: Database;
  try {
    db = await open(place);
  } catch {
    // Carrying on is right: `database_reachable` says why, and Discord can be asked anyway.
    return work(undefined);
  }
  try {
    return await work(createQueries(db));
  } finally {
    await db.close();
  }
}
