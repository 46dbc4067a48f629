/** The checks at Discord: three requests, repeated only if Discord does not answer. None makes a token or changes anything. */
import { addressesOf } from "../../config/addresses.ts";
import type { Config } from "../../config/load.ts";
import type { Queries } from "../../database/queries.ts";
import type { Application } from "../../discord/application.ts";
import { findApplication } from "../../discord/application.ts";
import type { Discord } from "../../discord/client.ts";
import { createDiscord } from "../../discord/client.ts";
import { createCaller } from "../../discord/retries.ts";
import type { JanusError } from "../../errors.ts";
import { asJanusError } from "../../errors.ts";
import { createBudget } from "../../oauth/budget.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import type { World } from "../../wiring.ts";
import { askDiscordClient, askRecords, askRecordsAtDiscord } from "../setup_questions.ts";
import type { Check, CheckId } from "./check.ts";
import { fault, ok, sayReason, unknown, warning } from "./check.ts";
import { checkOfFinding, readFinding } from "./finding.ts";
import type { Settings } from "./settings.ts";

type Part = Pick<Config, "publicUrl" | "discord">;

/** What all requests of one check may take together. */
const BUDGET_MS = 9_000;
const NO_BOT_TOKEN = "Discord shows this only to the bot, and DISCORD_BOT_TOKEN is unset.";
const GIVE_BOT_TOKEN = "Run the doctor with DISCORD_BOT_TOKEN_FILE, as for janus register.";

/** Examines the application. `queries` knows of the records where there is no bot token. Never throws. */
export async function checkDiscord(
  part: Part,
  rules: Settings["rules"],
  queries: Queries | undefined,
  world: World,
): Promise<readonly Check[]> {
  const bind = createDiscord({ ...world, ...part.discord, publicUrl: part.publicUrl });
  const discord = () => bind({ budget: createBudget(world.budgetMs ?? BUDGET_MS) });
  const groups = await Promise.all([
    checkClient(discord()),
    checkApplication(part, discord(), world),
    checkRecords(part, rules, queries, discord()),
  ]);
  return groups.flat();
}

async function checkClient(discord: Discord): Promise<readonly Check[]> {
  return [checkOfFinding("discord_client", "Discord", await askDiscordClient({ discord }))];
}

async function checkApplication(
  { publicUrl, discord: config }: Part,
  { upstream }: Discord,
  world: World,
): Promise<readonly Check[]> {
  if (config.botToken === undefined) return withoutApplication(config, NO_BOT_TOKEN, GIVE_BOT_TOKEN);
  let found: Application;
  try {
    found = await findApplication(createCaller(upstream, { ...world, ...config }), config.botToken);
  } catch (error) {
    const rest = withoutApplication(config, "Discord did not show the application.", MEND_BOT);
    return [explainBot(asJanusError(error)), ...rest.filter(({ id }) => id !== "discord_bot")];
  }
  if (found.applicationId !== config.clientId)
    return [
      fault(
        "discord_bot",
        `The bot token belongs to the application ${found.applicationId}, and DISCORD_CLIENT_ID is ${config.clientId}.`,
        "Copy both from the same application in the developer portal.",
      ),
      ...withoutApplication(config, "It is another application.", MEND_BOT).filter(
        ({ id }) => id !== "discord_bot",
      ),
    ];
  return [
    ok("discord_bot", "The bot token and DISCORD_CLIENT_ID belong to the same application."),
    checkRedirects(publicUrl, found),
    checkVerificationUrl(publicUrl, found),
    checkEvents(publicUrl, config, found),
    checkCommands(publicUrl, config, found),
  ];
}

const MEND_BOT = "Mend discord_bot first.";
const OF_APPLICATION: readonly CheckId[] = [
  "discord_bot",
  "discord_redirects",
  "discord_verification_url",
  "discord_events",
  "discord_commands",
];

/** The checks of an application that is not shown. Of events and commands that are not used, nothing need be known. */
const withoutApplication = (config: Part["discord"], detail: string, remedy: string): readonly Check[] =>
  OF_APPLICATION.map((id) => {
    if (id === "discord_events" && config.publicKey === undefined) return NO_EVENTS;
    if (id === "discord_commands" && config.guildIds.length === 0) return NO_COMMANDS;
    return unknown(id, detail, remedy);
  });

function explainBot(error: JanusError): Check {
  if (error.code === "grant_ended")
    return fault(
      "discord_bot",
      "Discord does not accept the bot token.",
      "Reset the token in the developer portal, under Bot, and copy it to DISCORD_BOT_TOKEN.",
    );
  return unknown("discord_bot", sayReason(error), "Run the doctor again later.");
}

function checkRedirects(publicUrl: string, { redirectUris }: Application): Check {
  const id = "discord_redirects";
  if (redirectUris === undefined)
    return unknown(id, "Discord does not show the redirects.", "Compare them with janus config check.");
  const { discordCallback, login } = addressesOf(publicUrl);
  const missing = [discordCallback, login].filter((address) => !redirectUris.includes(address));
  if (missing.length === 0) return ok(id, "Both redirects are entered.");
  return fault(
    id,
    `Discord lacks ${missing.join(" and ")}.`,
    "Enter it in the developer portal, under OAuth2, Redirects, character by character.",
  );
}

function checkVerificationUrl(publicUrl: string, { verificationUrl }: Application): Check {
  const id = "discord_verification_url";
  const { linkedRole } = addressesOf(publicUrl);
  if (verificationUrl === linkedRole) return ok(id, `The Linked Roles Verification URL is ${linkedRole}.`);
  return fault(
    id,
    verificationUrl === undefined
      ? "No Linked Roles Verification URL is entered, so Discord offers members no way to Janus."
      : "Another Linked Roles Verification URL is entered.",
    `Enter ${linkedRole} in the developer portal, under General Information.`,
  );
}

const NO_EVENTS = ok("discord_events", "Janus takes no events of Discord: DISCORD_PUBLIC_KEY is unset.");

/** Events are of use, and not needed: without them Janus notices the same within a day. */
function checkEvents(
  publicUrl: string,
  { publicKey }: Part["discord"],
  { publicKey: theirs, eventsUrl }: Application,
): Check {
  const id = "discord_events";
  const { discordEvents } = addressesOf(publicUrl);
  if (publicKey === undefined)
    return eventsUrl === discordEvents
      ? warning(
          id,
          "Discord sends events to Janus, which answers 404 without DISCORD_PUBLIC_KEY.",
          "Set it to the Public Key in the developer portal, under General Information.",
        )
      : NO_EVENTS;
  if (theirs === undefined)
    return unknown(id, "Discord does not show the public key.", "Compare it in the developer portal.");
  if (theirs.toLowerCase() !== publicKey.toHex())
    return fault(
      id,
      "DISCORD_PUBLIC_KEY is not the key of this application, so Janus refuses every event.",
      "Copy the Public Key from the developer portal, under General Information.",
    );
  if (eventsUrl === discordEvents) return ok(id, `Discord sends events to ${discordEvents}.`);
  return warning(
    id,
    eventsUrl === undefined
      ? "Discord sends no events, since no address is entered."
      : "Discord sends events to another address.",
    `Enter ${discordEvents} in the developer portal, under Webhooks, and choose Application Deauthorized.`,
  );
}

const NO_COMMANDS = ok("discord_commands", "Janus is not asked to answer commands in Discord.");

/** Whether commands reach Janus, if any are wanted. The key is checked with the events. */
function checkCommands(
  publicUrl: string,
  { publicKey, guildIds }: Part["discord"],
  { interactionsUrl }: Application,
): Check {
  const id = "discord_commands";
  const { discordInteractions } = addressesOf(publicUrl);
  const isSent = interactionsUrl === discordInteractions;
  if (publicKey === undefined && (isSent || guildIds.length > 0))
    return warning(
      id,
      "Janus answers no commands of Discord without DISCORD_PUBLIC_KEY.",
      "Set it to the Public Key in the developer portal, under General Information.",
    );
  if (isSent) return ok(id, `Discord sends commands to ${discordInteractions}.`);
  if (guildIds.length === 0) return NO_COMMANDS;
  return warning(
    id,
    interactionsUrl === undefined
      ? "DISCORD_GUILD_IDS names servers, and no Interactions Endpoint URL is entered."
      : "DISCORD_GUILD_IDS names servers, and another Interactions Endpoint URL is entered.",
    `Enter ${discordInteractions} in the developer portal, under General Information. Then run janus register.`,
  );
}

async function checkRecords(
  part: Part,
  rules: RuleSet | { readonly faults: string },
  queries: Queries | undefined,
  discord: Discord,
): Promise<readonly Check[]> {
  const id = "discord_records";
  if ("faults" in rules) return [unknown(id, "The rules have faults.", "Mend the rules first.")];
  const deps = { config: part, rules, discord };
  const known = part.discord.botToken === undefined ? queries : undefined;
  const finding =
    known === undefined ? await askRecordsAtDiscord(deps) : await askRecords({ ...deps, queries: known });
  if (finding === undefined)
    return [
      part.discord.botToken === undefined
        ? unknown(id, NO_BOT_TOKEN, GIVE_BOT_TOKEN)
        : unknown(
            id,
            "Discord did not show its metadata records.",
            "Mend discord_bot, or run the doctor again later.",
          ),
    ];
  return [
    readFinding(finding, {
      sound: () => ok(id, "Discord has the metadata records of the rules."),
      untold: () => unknown(id, NO_BOT_TOKEN, GIVE_BOT_TOKEN),
      faulty: (error) => fault(id, sayReason(error), "Run janus register."),
      unknown: (error) => unknown(id, sayReason(error), "Run the doctor again later."),
    }),
  ];
}
