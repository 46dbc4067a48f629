/**
 * The kill test: members come and go, and everything around them fails. What they were told holds in the end, nobody has
 * a role without a link, and no grant is alive that Janus does not know. `bun run chaos` runs it.
 *
 * CHAOS_SECONDS is for how long, CHAOS_SEED which of all the runs: the seed decides what members do and what fails.
 * How the processes interleave it does not decide, so that a run again is a like one and not the same one.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { onPostgres } from "../harness/database.ts";
import { checkAll } from "./checks.ts";
import { startDisturbing } from "./faults.ts";
import { gather, lookAtAll } from "./members.ts";
import { letTimePass } from "./passing_time.ts";
import { setStage } from "./stage.ts";

const SECONDS = Number(process.env.CHAOS_SECONDS ?? (process.env.CI ? 60 : 0));
const SEED = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const PERSONS = 10;
const AGAIN = `CHAOS_SEED=${SEED} CHAOS_SECONDS=${SECONDS} bun run chaos`;

setDefaultTimeout(SECONDS * 1_000 + 180_000);

const isAsked = onPostgres && SECONDS > 0;
if (!isAsked)
  console.warn("The kill test is skipped. It runs with TEST_DATABASE_URL and CHAOS_SECONDS, or in CI.");

test.if(isAsked)("whatever fails, members keep what they were told, and nothing is left behind", async () => {
  console.log(`chaos: seed ${SEED}, ${SECONDS} seconds; again: ${AGAIN}`);
  await using stage = await setStage(SEED, PERSONS);
  await Promise.all([stage.replicas.start("a"), stage.replicas.start("b")]);

  const members = gather(stage, PERSONS);
  const disturbing = startDisturbing(stage);
  await Bun.sleep(SECONDS * 1_000);
  await disturbing.stop();
  await members.leave();
  await Promise.all(members.persons.map(lookAtAll));
  await Promise.all([stage.replicas.stop("a"), stage.replicas.stop("b")]);

  const deps = await letTimePass(stage);
  const { broken, excused } = await checkAll(stage, deps, members.persons);
  console.log("chaos: what happened", stage.journal.counts());
  console.log("chaos: what was let pass", excused);
  if (broken.length > 0) console.log(`chaos: again with ${AGAIN}\n${broken.join("\n")}`);
  expect(broken).toEqual([]);
});
