/**
 * A simulated year: members come, change and go, either server fails for minutes or days, answers are lost, and replicas
 * are killed. At the end Discord has of each member what the rules say, and nobody lost anything to an outage.
 *
 * YEAR_SEED decides what happens, but not how the replicas interleave. YEAR_MEMBERS, YEAR_DAYS and YEAR_EVERY_HOURS make
 * it larger or smaller.
 */
import { expect, spyOn, test } from "bun:test";
import { createChance } from "../chaos/chance.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import type { Year } from "../fixtures/year.ts";
import { startYear } from "../fixtures/year.ts";
import { examineEnd } from "../fixtures/year_end.ts";
import { YEAR_RULES } from "../fixtures/year_members.ts";
import { useDatabase, useFolder } from "../harness/hooks.ts";

const { YEAR_SEED, YEAR_MEMBERS = "60", YEAR_DAYS, YEAR_EVERY_HOURS } = process.env;
const MEMBERS = Number(YEAR_MEMBERS);
const DAYS = Number(YEAR_DAYS ?? (MEMBERS > 100 ? 365 : 91));
const EVERY_HOURS = Number(YEAR_EVERY_HOURS ?? (MEMBERS > 100 ? 24 : 48));
const SEED = Number(YEAR_SEED ?? Math.floor(Math.random() * 2 ** 31));
const AGAIN = `YEAR_SEED=${SEED} YEAR_MEMBERS=${MEMBERS} YEAR_DAYS=${DAYS} YEAR_EVERY_HOURS=${EVERY_HOURS}`;
const LIMIT_MS = 3_600_000;

const folder = useFolder("year");
const database = useDatabase();

// It takes half a minute and more, and is for whoever changes the sync: YEAR_MEMBERS=60 bun test tests/sync/year.test.ts
test.skipIf(process.env.YEAR_MEMBERS === undefined)(
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

    console.log("year: what happened", { ...year.counts(), ...end.counts, losses: countLosses(year) });
    // Discord or Janus has something wrong of a member.
    expect(end.faults).toEqual([]);
    // A member lost something for another reason than the provider's word.
    expect(year.losses.all.filter(({ cause }) => cause === "none")).toEqual([]);
    expect(mistakesTold(year)).toEqual([]);
    // A member who had left kept the role for too long.
    expect(year.overdue.faults).toEqual([]);
    // A refresh token was spent twice.
    expect(year.refreshes.faults).toEqual([]);
    expect([...year.servers.discord.unexpected, ...year.servers.provider.unexpected]).toEqual([]);
    // Otherwise the year has shown nothing.
    expect(end.counts.reached).toBeGreaterThan(MEMBERS / 5);
    expect(year.losses.all.length).toBeGreaterThan(MEMBERS / 10);
  },
  LIMIT_MS,
);

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
