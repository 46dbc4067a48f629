/**
 * Discord's events: a member who removes Janus at Discord ends the grant at once. Everything else is acknowledged, and
 * nothing follows from it. docs/doorbells.md, docs/decisions/0046
 */
import type { WorkDeps } from "../deps.ts";
import { readEvent } from "../discord/event.ts";
import type { SignedEvent } from "../discord/event_signature.ts";
import { findSignatureFault } from "../discord/event_signature.ts";
import { databaseUnavailable } from "../errors.ts";
import { settlesWithin } from "../time.ts";
import { receiveEvent } from "./doorbell.ts";

type Needs = Pick<WorkDeps, "config" | "queries" | "now" | "log" | "alarm" | "eventCounts" | "requestId">;

/** What Discord is answered: it is acknowledged, malformed, or not Discord's. */
export type EventAnswer = "acknowledged" | "malformed" | "unauthorized";

/** Discord repeats an event that is not answered within three seconds. */
const ANSWER_MS = 2_500;

/** Acts on an event. Throws database_unavailable if that takes too long; Discord then sends the event again. */
export async function receiveDiscordEvent(
  deps: Needs,
  publicKey: Uint8Array,
  signed: SignedEvent,
): Promise<EventAnswer> {
  const fault = findSignatureFault(publicKey, signed, deps.now());
  if (fault !== undefined) {
    receiveEvent(deps, "discord", "refused", undefined, fault);
    return "unauthorized";
  }
  const event = readEvent(signed.body, deps.config.discord.clientId);
  if (event === undefined) {
    receiveEvent(deps, "discord", "refused", undefined, "the event is malformed");
    return "malformed";
  }
  if (event.kind === "ping") receiveEvent(deps, "discord", "answered");
  else if (event.kind === "ignored") receiveEvent(deps, "discord", "ignored", undefined, event.reason);
  else await endGrant(deps, event.discordUserId, event.happenedAt);
  return "acknowledged";
}

async function endGrant(deps: Needs, discordUserId: string, happenedAt: Date): Promise<void> {
  const { queries, requestId, now } = deps;
  const ending = queries.receiveDeauthorization({ discordUserId, happenedAt, requestId, now: now() });
  if (!(await settlesWithin(ending, ANSWER_MS)))
    throw databaseUnavailable(`the database takes longer than ${ANSWER_MS} ms, and Discord waits no longer`);
  const { outcome = "ignored" } = (await ending) ?? {};
  // Of somebody whom Janus does not know, not even the id is kept.
  receiveEvent(deps, "discord", outcome, outcome === "ignored" ? undefined : [discordUserId]);
}
