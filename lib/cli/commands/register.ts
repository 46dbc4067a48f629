/**
 * `janus register`: puts the metadata records at Discord that linked roles are built on. Called by `cli.ts`; what it
 * returns is printed.
 */
import { readRegistrationConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { explainStrayValue } from "../../config/stray_values.ts";
import { putMetadataRecords } from "../../discord/metadata_records.ts";
import type { JanusError } from "../../errors.ts";
import { asJanusError, registrationFailed } from "../../errors.ts";
import { METADATA_RECORDS } from "../../rules/records.ts";
import { createWorld } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { warn } from "../output.ts";

/**
 * Puts the records, and names them and the address that adds the application to a server, as JSON on request. Throws
 * registration_failed.
 */
export async function register(json: boolean, environment: Environment): Promise<string> {
  const { applicationId, apiUrl, authorizeUrl, publicUrl, botToken } = readRegistrationConfig(environment);
  // Before it is sent: Discord says only that it is wrong.
  for (const text of explainStrayValue("DISCORD_BOT_TOKEN", botToken)) await warn(`warning: ${text}`);
  const options = { ...createWorld(NO_LOG, { ref: true }), clientId: applicationId, apiUrl, publicUrl };
  try {
    await putMetadataRecords(options, botToken, METADATA_RECORDS);
  } catch (error) {
    throw registrationFailed(explainRegistration(asJanusError(error)), error);
  }
  const installUrl = installUrlOf(authorizeUrl, applicationId);
  if (json) {
    const registered = METADATA_RECORDS.map(({ key }) => key);
    return JSON.stringify({ registered, install_url: installUrl });
  }
  return [
    ...METADATA_RECORDS.map(({ key, name }) => `registered  ${key}  (${name})`),
    "Linked roles can be built on it now, in a server that the application was added to. Add it here:",
    installUrl,
    "Then in Discord: Server Settings, Roles, a role, Links.",
  ].join("\n");
}

/** Where a server's admin adds the application: Discord offers its records to no role of another server. */
function installUrlOf(authorizeUrl: string, applicationId: string): string {
  const url = new URL(authorizeUrl);
  url.searchParams.set("client_id", applicationId);
  url.searchParams.set("scope", "applications.commands");
  return url.href;
}

function explainRegistration(error: JanusError): string {
  if (error.code === "grant_ended") return "Discord does not accept the bot token: check DISCORD_BOT_TOKEN.";
  if (error.code === "discord_refused") {
    return `Discord refuses the records (${error.message}): is DISCORD_CLIENT_ID the bot's application?`;
  }
  if (error.code === "discord_rate_limited") {
    return `Discord asks to wait ${error.retryAfterSeconds ?? 60} seconds: try again then.`;
  }
  return `Discord did not answer (${error.message}). Try again: registering twice does no harm.`;
}
