/**
 * The warning about a bot token with characters that were not meant to be part of it, for each command that uses one:
 * Discord says only that a token is wrong, not why.
 */
import type { RegistrationConfig } from "../config/load.ts";
import { explainStrayValue } from "../config/stray_values.ts";
import { warnOfRisk } from "./output.ts";

/** Warns of each fault that the token may have. */
export async function warnOfStrayBotToken({ botToken }: RegistrationConfig, json: boolean): Promise<void> {
  for (const text of explainStrayValue("DISCORD_BOT_TOKEN", botToken)) await warnOfRisk(text, json);
}
