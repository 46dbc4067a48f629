/**
 * A simulated year: members come, change and go, either server fails for minutes or days, answers are lost, and replicas
 * are killed. At the end Discord has of each member what the rules say, and nobody lost anything to an outage. All the time,
 * no refresh token is spent twice, and neither server is asked more than it allows.
 *
 * YEAR_SEED decides what happens, but not how the replicas interleave. YEAR_MEMBERS, YEAR_DAYS and YEAR_EVERY_HOURS make
 * it larger: `bun run year` is a whole year of a thousand members, and best on a PostgreSQL.
 */
import { expect, spyOn, test } from "bun:test";
import { createChance } from "../chaos/chance.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import type { Year } from "../fixtures/year.ts";
import { startYear } from "../fixtures/year.ts";
import { examineEnd } from "../fixtures/year_end.ts";
import { YEAR_RULES } from "../fixtures/year_members.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder } from "../harness/hooks.ts";

const { YEAR_SEED, YEAR_MEMBERS = "40", YEAR_DAYS, YEAR_EVERY_HOURS } = process.env;
const MEMBERS = Number(YEAR_MEMBERS);
/** A quarter; half of that where the embedded database takes most of the time. */
const SHORT_DAYS = onPostgres ? 91 : 46;
const DAYS = Number(YEAR_DAYS ?? (MEMBERS > 100 ? 365 : SHORT_DAYS));
const EVERY_HOURS = Number(YEAR_EVERY_HOURS ?? (MEMBERS > 100 ? 24 : 48));
const SEED = Number(YEAR_SEED ?? Math.floor(Math.random() * 2 ** 31));
const AGAIN = `YEAR_SEED=${SEED} YEAR_MEMBERS=${MEMBERS} YEAR_DAYS=${DAYS} YEAR_EVERY_HOURS=${EVERY_HOURS} bun test tests/sync/year.test.ts`;
const LIMIT_MS = 4 * 3_600_000;

const folder = useFolder("year");
const database = useDatabase();

test(
  "a year of outages, kills and lost answers leaves every link true",
  async () => {
    console.log(`year: again with ${AGAIN}`);
    using _ = spyOn(Math, "random").mockImplementation(createChance(SEED, "jitter").next);
    const environment = await writeRules(folder, YEAR_RULES);
    const size = { seed: SEED, members: MEMBERS, days: DAYS, everyHours: EVERY_HOURS };
    const year = await startYear({ ...size, database, environment });

    await year.run();
    const end = await examineEnd({ ...year, deps: year.deps() });
    await year.stop();

    if (YEAR_SEED !== undefined || process.env.YEAR_MEMBERS !== undefined)
      console.log("year: what happened", { ...year.counts(), ...end.counts, losses: countLosses(year) });
    expect(faultsOf(year, end.faults), AGAIN).toEqual(NO_FAULTS);
    // Otherwise the year has shown nothing.
    expect(end.counts.reached, AGAIN).toBeGreaterThan(MEMBERS / 5);
    expect(year.losses.all.length, AGAIN).toBeGreaterThan(MEMBERS / 10);
  },
  LIMIT_MS,
);

const NO_FAULTS = {
  wrongAtTheEnd: [],
  lostWithoutReason: [],
  lostByMistake: [],
  keptTooLong: [],
  askedTooMuch: [],
  spentTwice: [],
  unexpected: [],
};

/** All that was wrong: at the end, and all the time. */
const faultsOf = (year: Year, wrongAtTheEnd: readonly string[]) => ({
  wrongAtTheEnd,
  lostWithoutReason: year.losses.all.filter(({ cause }) => cause === "none"),
  lostByMistake: mistakesTold(year),
  keptTooLong: year.overdue.faults,
  askedTooMuch: [...year.limits.faults],
  spentTwice: year.refreshes.faults,
  unexpected: [...year.servers.discord.unexpected, ...year.servers.provider.unexpected],
});

/** What members lost by a mistake of the provider that the brake held, though the claims could be read again. */
function mistakesTold({ losses, unanswered, members }: Year) {
  const lostUsers = new Set(
    members.filter(({ subject }) => unanswered.provider.has(subject)).map(({ user }) => user),
  );
  return losses.all.filter(
    ({ isMistake, isGrantOver, member }) => isMistake && !isGrantOver && !lostUsers.has(member),
  );
}

const countLosses = ({ losses }: Year) => ({
  byClaims: losses.all.filter(({ cause }) => cause === "claims").length,
  byGrace: losses.all.filter(({ cause }) => cause === "grace").length,
  byMistake: losses.all.filter(({ isMistake }) => isMistake).length,
});
