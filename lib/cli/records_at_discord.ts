/**
 * Discord's metadata records in the hands of an operator with the bot's token, for the commands that show or put them. A
 * failure says what to do about it.
 */
import type { RegistrationConfig } from "../config/load.ts";
import type { StoredRecord } from "../discord/answers.ts";
import { listMetadataRecords, putMetadataRecords } from "../discord/metadata_records.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError, registrationFailed } from "../errors.ts";
import type { MetadataRecord } from "../rules/records.ts";
import { createWorld } from "../server/world.ts";
import { NO_LOG } from "../telemetry/log.ts";

/** What Discord has, and how to replace it. Both throw registration_failed. */
type RecordsAtDiscord = {
  readonly list: () => Promise<readonly StoredRecord[]>;
  readonly put: (records: readonly MetadataRecord[]) => Promise<void>;
};

/** Asks nothing before the first call. */
export function recordsAtDiscord(config: RegistrationConfig): RecordsAtDiscord {
  const { applicationId, apiUrl, publicUrl, botToken } = config;
  const options = { ...createWorld(NO_LOG, { ref: true }), clientId: applicationId, apiUrl, publicUrl };
  return {
    list: () => explained(listMetadataRecords(options, botToken)),
    put: (records) => explained(putMetadataRecords(options, botToken, records)),
  };
}

async function explained<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw registrationFailed(explainFailure(asJanusError(error), WHOSE), error);
  }
}

const WHOSE = "is DISCORD_CLIENT_ID the bot's application?";

/** Says what a failure of Discord means to an operator. `remedy` asks what to look at if Discord refuses. */
export function explainFailure(error: JanusError, remedy: string): string {
  if (error.code === "grant_ended") return "Discord does not accept the bot token: check DISCORD_BOT_TOKEN.";
  if (error.code === "discord_refused") {
    return `Discord refuses (${error.message}): ${remedy}`;
  }
  if (error.code === "discord_rate_limited") {
    return `Discord asks to wait ${error.retryAfterSeconds ?? 60} seconds: try again then.`;
  }
  return `Discord did not answer (${error.message}). Try again: registering twice does no harm.`;
}
