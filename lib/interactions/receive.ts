/**
 * Interactions: what Discord sends when somebody uses a slash command of Janus. This room owns what they lead to:
 *
 *   POST /discord/interactions   receiveCommand, in `handlers.ts`
 *   the commands themselves      command_set.ts, put by `janus register`
 *   what a command asks for      look.ts
 *   what it is answered with     reply.ts, in the words of `texts/`
 *
 * How an interaction is signed and read is in `discord/`, and what a link is in `operator/`. docs/decisions/0056
 */

import type { WorkDeps } from "../deps.ts";
import type { SignedEvent } from "../discord/event_signature.ts";
import { findSignatureFault } from "../discord/event_signature.ts";
import type { Command } from "../discord/interaction.ts";
import { readInteraction } from "../discord/interaction.ts";
import type { InteractionOutcome } from "../telemetry/events.ts";
import { describeError } from "../telemetry/log.ts";
import { settlesWithin } from "../time.ts";
import { STATUS, WHOIS } from "./command_set.ts";
import type { Look, LookDeps } from "./look.ts";
import { lookByCommand } from "./look.ts";
import { sayLook, saySlow } from "./reply.ts";
import { languageOf } from "./texts/languages.ts";

type Needs = LookDeps & Pick<WorkDeps, "log" | "lateLooks">;

/** What Discord is answered: it is not Discord, it is malformed, Janus is there, or a sentence for the one who asks. */
export type InteractionAnswer =
  | { readonly kind: "unauthorized" | "malformed" | "pong" }
  | { readonly kind: "said"; readonly content: string };

/** Discord shows the one who asks a failure if there is no answer within three seconds. */
const ANSWER_MS = 2_500;

/** Answers an interaction. A command is always answered with a sentence, whatever fails. */
export async function receiveInteraction(
  deps: Needs,
  publicKey: Uint8Array,
  signed: SignedEvent,
): Promise<InteractionAnswer> {
  const fault = findSignatureFault(publicKey, signed, deps.now());
  if (fault !== undefined) return refuse(deps, "unauthorized", fault);
  const interaction = readInteraction(signed.body, deps.config.discord.clientId);
  if (interaction === undefined) return refuse(deps, "malformed", "the interaction is malformed");
  if (interaction.kind === "ping") {
    tell(deps, "ping", "answered");
    return { kind: "pong" };
  }
  return { kind: "said", content: await answerInTime(deps, interaction) };
}

function refuse(
  { log }: Needs,
  kind: "unauthorized" | "malformed",
  reason: string,
): { readonly kind: "unauthorized" | "malformed" } {
  log.info("interaction_answered", { outcome: "refused", reason });
  return { kind };
}

async function answerInTime(deps: Needs, command: Command): Promise<string> {
  const { config, rules } = deps;
  const { platformName, publicUrl } = config;
  const context = { language: languageOf(command.locale), platformName, publicUrl, rules };
  const operation = OPERATIONS[command.name] ?? "unknown";
  let isAwaited = true;
  const looking = lookByCommand(deps, command, () => isAwaited);
  if (!(await settlesWithin(looking, ANSWER_MS))) {
    isAwaited = false;
    deps.lateLooks.add(looking);
    const reason = `the database takes longer than ${ANSWER_MS} ms, and Discord waits no longer`;
    deps.log.error("interaction_answered", { operation, outcome: "failed", reason });
    return saySlow(context);
  }
  try {
    const look = await looking;
    tell(deps, operation, outcomeOf(look));
    return sayLook(context, look);
  } catch (error) {
    // Carrying on is right: Discord would show a failure without a reason, and nobody would know whether to try again.
    deps.log.error("interaction_answered", { operation, outcome: "failed", ...describeError(error) });
    return saySlow(context);
  }
}

/** The commands as the log names them. A name from outside is not logged. */
const OPERATIONS: Readonly<Record<string, string | undefined>> = { [STATUS]: "status", [WHOIS]: "whois" };

function tell({ log }: Needs, operation: string, outcome: InteractionOutcome): void {
  log.info("interaction_answered", { operation, outcome });
}

function outcomeOf(look: Look): InteractionOutcome {
  if (look.kind === "own" || look.kind === "other") return look.link === undefined ? "unlinked" : "answered";
  return look.kind === "repeated" ? "repeated" : "refused";
}
