/**
 * The answer to the question whether to move a link. If the member confirms it, a new link takes the place of an earlier
 * one, and the Discord account of the earlier link loses its role connection. If the member does not want it, the question
 * is forgotten.
 */
import type { Deps } from "../deps.ts";
import type { JanusError } from "../errors.ts";
import { banned, flowFinished } from "../errors.ts";
import type { Flow, FlowChange, Needs as FlowNeeds } from "../flow/record.ts";
import { deriveSession, findFlow, hashFlowId, openFlow, resultNameOf } from "../flow/record.ts";
import type { FlowRequest } from "../flow/step.ts";
import { createStep } from "../flow/step.ts";
import { endDueGrantOf } from "../grants/end_discord_grant.ts";
import { newSession } from "../session/secrets.ts";
import { firstCheckAt } from "../sync/check.ts";
import { MEMBERSHIP_LIVES } from "../sync/decision.ts";
import { readAdmission } from "../sync/member_rules.ts";
import type { Needs as PushNeeds } from "../sync/push.ts";
import { PUSH_LEASE_SECONDS } from "../sync/push.ts";
import { describeError } from "../telemetry/log.ts";
import { secondsAfter } from "../time.ts";
import type { NotAdmitted } from "./admission.ts";
import { judgeMover, notAdmitted, tellUnknown } from "./admission.ts";
import type { Linked } from "./linked.ts";
import { begunSession, linkedAccounts, pushNow, retryOnConflict } from "./linked.ts";

type Needs = FlowNeeds & PushNeeds & Pick<Deps, "budget" | "requestId" | "instruments">;

/** What the browser sent with the form. */
type MoveRequest = Omit<FlowRequest, "query"> & { readonly state: string };

/** Step 4, after a conflict. Throws state_mismatch, flow_expired, flow_finished, banned. */
export const confirmMove = createStep(
  "move",
  async (deps: Needs, { state, records, browser }: MoveRequest): Promise<Linked | NotAdmitted> => {
    const flow = openFlow(deps, ["move"], state, records);
    const now = deps.now();
    const refused = await refuseMove(deps, flow, now);
    if (refused !== undefined) return refused;
    const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
    const values = {
      flowIdHash: hashFlowId(flow),
      pushLeasedUntil: leasedUntil,
      ...newSession(deriveSession(flow), browser, now),
      requestId: deps.requestId,
      checkDueAt: firstCheckAt(deps, now),
      scimAttribute: deps.config.scim?.attribute ?? null,
      now,
    };
    const moved = await retryOnConflict(() => deps.queries.confirmMove(values));
    if (moved === undefined) throw await readNoMove(deps, flow);
    const { discordUserId, endedDiscordUserId } = moved;
    const push = await pushNow(deps, { ...NEVER_PUSHED, ...moved, linkedAt: now, leasedUntil });
    const earlierRoleMayStay = endedDiscordUserId !== null && (await roleMayStay(deps, endedDiscordUserId));
    return {
      ...linkedAccounts(moved, moved.claims),
      ...push,
      outcome: "moved",
      discordUserId,
      earlierRoleMayStay,
      session: begunSession(flow, moved.sessionExpiresAt),
      resultName: resultNameOf(flow),
      flow: { forget: [flow.record.name] },
    };
  },
);

/** What Discord has of a link that has just been made. */
const NEVER_PUSHED = {
  pushedMetadata: null,
  pushedPlatformUsername: null,
  clearedAt: null,
  clearCause: null,
  lossFoundAt: null,
  pushFailures: 0,
  ...MEMBERSHIP_LIVES,
} as const;

/**
 * Ends the flow of a member whom the rules do not admit any more; undefined if they do. Claims may have changed since the
 * question, and so may the rules. Without `admit` this costs no statement.
 */
async function refuseMove(deps: Needs, flow: Flow, now: Date): Promise<NotAdmitted | undefined> {
  if (deps.rules.admit === undefined) return undefined;
  const flowIdHash = hashFlowId(flow);
  const member = await deps.queries.findMove({ flowIdHash });
  if (member === undefined) throw flowFinished("no such move waits for confirmation");
  const admitted = judgeMover(deps, member, now);
  if (readAdmission(admitted) === "admitted") return undefined;
  const { requestId } = deps;
  const taken = await deps.queries.refuseMove({ flowIdHash, requestId, now, onlyBanned: false });
  if (taken === undefined) throw flowFinished("no such move waits for confirmation");
  tellUnknown(deps, admitted, member.discordUserId);
  return notAdmitted(flow, admitted, member.discordUserId);
}

/** Why a move was not made. If a ban has come since the question, the flow is over. */
async function readNoMove(deps: Needs, flow: Flow): Promise<JanusError> {
  const taken = await deps.queries.refuseMove({
    flowIdHash: hashFlowId(flow),
    requestId: deps.requestId,
    now: deps.now(),
    onlyBanned: true,
  });
  return taken === undefined ? flowFinished("no such move waits for confirmation") : banned();
}

/** The member does not want the move: nothing has changed. */
type Kept = { readonly outcome: "kept"; readonly resultName: string; readonly flow: FlowChange };

/**
 * The other answer. The database is not asked: what waits there ends by its age. A late answer is as good, since it changes
 * nothing. Throws state_mismatch.
 */
export const keepLinks = createStep(
  "move",
  async (
    deps: FlowNeeds & Pick<Deps, "log" | "instruments">,
    { state, records }: Omit<MoveRequest, "browser">,
  ): Promise<Kept> => {
    const flow = findFlow(deps, ["move"], state, records);
    return { outcome: "kept", resultName: resultNameOf(flow), flow: { forget: [flow.record.name] } };
  },
);

/** Ends the earlier Discord account's grant, or leaves that to upkeep. True if the account may still have its role. */
async function roleMayStay(deps: Needs, endedDiscordUserId: string): Promise<boolean> {
  if (!hasTimeToEnd(deps)) return true;
  try {
    return (await endDueGrantOf(deps, endedDiscordUserId)) !== "ended";
  } catch (error) {
    // Carrying on is right: the move is stored, and the end is due until it succeeds.
    deps.log.warn("grants_not_ended", describeError(error));
    return true;
  }
}

/** Whether at least half of the request's time is left. Upkeep ends what would be cut off. */
const hasTimeToEnd = ({ budget }: Needs): boolean => budget.leftMs() > budget.totalMs / 2;
