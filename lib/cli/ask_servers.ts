/**
 * What Discord and the provider say of a configuration, for `janus config check --ask`. It makes no token and changes
 * nothing. The questions are those that a server asks when it starts.
 */
import { createDiscord } from "../discord/client.ts";
import { createOidc } from "../oidc/client.ts";
import type { Configuration } from "../operator/configuration.ts";
import type { Finding } from "../operator/setup_questions.ts";
import { askDiscordClient, askProvider, askRecordsAtDiscord } from "../operator/setup_questions.ts";
import { createWorld } from "../server/world.ts";
import { NO_LOG } from "../telemetry/log.ts";

/** The answer to one question. `reason` is the fault, or why the answer is unknown. */
type Answer = {
  readonly question: string;
  readonly answer: "yes" | "no" | "unknown";
  readonly reason?: string;
};

/** Asks all questions at the same time. */
export async function askServers({ config, rules }: Configuration): Promise<readonly Answer[]> {
  const world = createWorld(NO_LOG, { ref: true });
  const options = { ...world, publicUrl: config.publicUrl };
  const discord = createDiscord({ ...config.discord, ...options })({});
  const oidc = createOidc({ config: config.oidc, ...options, rules })({});
  return Promise.all([
    answer("Does Discord accept the client id and the secret?", askDiscordClient({ discord })),
    answer("Does the provider accept the client id and the secret?", askProvider({ oidc })),
    answer("Does Discord have the metadata records?", askRecordsAtDiscord({ config, rules, discord })),
  ]);
}

const answer = async (question: string, asked: Promise<Finding | undefined>): Promise<Answer> => ({
  question,
  ...read(await asked),
});

function read(finding: Finding | undefined): Omit<Answer, "question"> {
  if (finding === undefined)
    return { answer: "unknown", reason: "Discord shows them only to a right DISCORD_BOT_TOKEN" };
  switch (finding.kind) {
    case "sound":
      return { answer: "yes" };
    case "untold":
      return { answer: "unknown", reason: "it does not tell" };
    case "faulty":
      return { answer: "no", reason: finding.error.message };
    case "unknown":
      return { answer: "unknown", reason: finding.error.message };
  }
}
