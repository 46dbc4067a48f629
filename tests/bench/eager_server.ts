/** `janus serve` with upkeep that comes sooner, so that a measurement need not wait half a minute. */
import { createApp } from "../../index.ts";
import { readConfiguration } from "../../lib/operator/configuration.ts";
import { startServer } from "../../lib/server/lifecycle.ts";
import { createWorld, now } from "../../lib/server/world.ts";
import { createLineWriter } from "../../lib/telemetry/line_writer.ts";
import { createLog } from "../../lib/telemetry/log.ts";

const UPKEEP_SECONDS = 5;

const writer = await createLineWriter("json", false, () => undefined);
const world = createWorld(createLog("info", writer.write, now), { ref: false });
await startServer(await readConfiguration(process.env), createApp, {
  ...world,
  upkeepSeconds: UPKEEP_SECONDS,
});
