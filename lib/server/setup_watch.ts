/**
 * Asks the questions about the setup in the background, once at the start, and says what is wrong before a member meets it.
 * Nothing waits for an answer. Only after a fault, or without an answer, it asks again.
 */
import type { WorkDeps } from "../deps.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import type { SetupPart } from "../operator/setup.ts";
import type { Finding } from "../operator/setup_questions.ts";
import { askDiscordClient, askProvider, askRecords } from "../operator/setup_questions.ts";
import { describeError } from "../telemetry/log.ts";

const DISCOVERY_RETRY_MS = 10_000;
/** How soon a fault that was mended is noticed; well within the age at which it is forgotten. */
const FAULT_PAUSE_MS = 120_000;
const UNKNOWN_PAUSE_MS = 900_000;

/** Settles when nothing is left to ask, or after the question under way once `stopping` is aborted. */
export async function watchSetup(
  deps: WorkDeps,
  databaseReady: Promise<unknown>,
  stopping: AbortSignal,
): Promise<void> {
  const settle = (part: SetupPart, ask: () => Promise<Finding>) => keepAsking(deps, part, ask, stopping);
  await Promise.all([
    settle("discord_client", () => askDiscordClient(deps)),
    loadDiscovery(deps, stopping).then(() => settle("provider", () => askProvider(deps))),
    databaseReady.then(
      () => settle("records", () => askRecords(deps)),
      // Without its database the server does not start.
      () => undefined,
    ),
  ]);
}

/** Loads discovery, so that the first member does not wait for it; until then /readyz says no. */
async function loadDiscovery({ oidc, log, setup, sleep }: WorkDeps, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted && !oidc.isReady()) {
    try {
      await oidc.prepare();
    } catch (error) {
      log.warn("provider_not_ready", describeError(error));
      const known = asJanusError(error);
      // An outage takes nothing back that discovery said before.
      if (known.code === "provider_misconfigured") setup.note("provider", known);
      await sleep(DISCOVERY_RETRY_MS);
    }
  }
  setup.note("provider", undefined);
}

/** Asks until there is an answer that will not change by itself. */
async function keepAsking(
  { log, setup, sleep }: WorkDeps,
  part: SetupPart,
  ask: () => Promise<Finding>,
  stopping: AbortSignal,
): Promise<void> {
  let told: JanusError | undefined;
  while (!stopping.aborted) {
    const finding = await ask();
    if (finding.kind === "faulty") {
      setup.note(part, finding.error);
      if (finding.error.message !== told?.message) log.warn("setup_faulty", describeError(finding.error));
      told = finding.error;
      await sleep(FAULT_PAUSE_MS);
    } else if (finding.kind === "unknown") {
      await sleep(UNKNOWN_PAUSE_MS);
    } else {
      setup.note(part, undefined);
      if (told !== undefined) log.info("setup_mended", { code: told.code });
      return;
    }
  }
}
