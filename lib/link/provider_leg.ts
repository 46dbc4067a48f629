/**
 * The link flow's second half: back from the provider, the link is stored and pushed, or moved when the member confirms
 * it. The first half is in `link/discord_leg.ts`. It sees no request and no SQL.
 *
 *   GET /dsek-oauth-callback     finishProviderLeg  code for tokens, ID Token verified, link stored, metadata pushed
 *   POST /link/move              confirmMove        the member confirms a link in place of an earlier one
 */
import { isCollision } from "../database/failures.ts";
import type { Deps } from "../deps.ts";
import type { DiscordUser } from "../discord/client.ts";
import { flowFinished } from "../errors.ts";
import { departReduced } from "../flow/provider_departure.ts";
import type { Flow, FlowChange } from "../flow/record.ts";
import {
  acceptCallback,
  continueFlow,
  deriveSecret,
  deriveSession,
  FLOW_TTL_SECONDS,
  hashFlowId,
  isReduced,
  logStep,
  openFlow,
  PROVIDER_LEGS,
  runStep,
} from "../flow/record.ts";
import { createSharing } from "../flow/sharing.ts";
import type { Cancelled, Departure, FlowRequest } from "../flow/step.ts";
import { sealOrganisationTokens } from "../grants/discord_grant.ts";
import { endDueGrantOf } from "../grants/end_discord_grant.ts";
import { keepProviderTokens, keepUnlinkedTokens } from "../grants/stray_tokens.ts";
import { readRefusal } from "../oauth/authorization.ts";
import type { SignIn } from "../oidc/client.ts";
import type { KeptClaims } from "../rules/role_connection.ts";
import { keepClaims, organisationName } from "../rules/role_connection.ts";
import type { BegunSession } from "../session/secrets.ts";
import { newSession } from "../session/secrets.ts";
import type { DuePush } from "../sync/push.ts";
import { PUSH_LEASE_SECONDS, pushLink } from "../sync/push.ts";
import { describeError } from "../telemetry/log.ts";
import { readName } from "../text/shown_name.ts";
import { secondsAfter } from "../time.ts";

/** The two accounts of a link, as they are shown. */
export type LinkedAccounts = {
  readonly discord: Pick<DiscordUser, "username" | "globalName">;
  readonly organisationName: string | undefined;
};

/** The link is stored; `pushed` says whether Discord has taken the role connection already. */
export type Linked = LinkedAccounts & {
  readonly outcome: "linked";
  readonly pushed: boolean;
  /** Whether the Discord account that the link was moved from may still have its role. */
  readonly earlierRoleMayStay: boolean;
  /** Undefined where none could be made; the link does not depend on it. */
  readonly session: BegunSession | undefined;
  readonly flow: FlowChange;
};

/** One of the accounts is linked to a third: nothing changes until the member confirms with `state`. */
export type Conflict = LinkedAccounts & {
  readonly outcome: "conflict";
  readonly heldByDiscord: Pick<DiscordUser, "username" | "globalName"> | undefined;
  /** The other organisation account's name; null where it has none, undefined where there is no such account. */
  readonly heldByOrganisation: string | null | undefined;
  readonly state: string;
  readonly flow: FlowChange;
};

const shareProviderLeg = createSharing<Linked | Conflict>();

type Finished = Linked | Conflict | Departure | Cancelled;

/** Step 3. Errors of the callback, of the exchange and of the ID Token; flow_finished for a replay. */
export function finishProviderLeg(deps: Deps, request: FlowRequest): Promise<Finished> {
  return runStep(deps, request.requestId, "provider", (bound) => takeProviderLeg(bound, request));
}

async function takeProviderLeg(deps: Deps, request: FlowRequest): Promise<Finished> {
  const accepted = acceptCallback(deps, PROVIDER_LEGS, request.query, request.records);
  const forget = [accepted.flow.record.name];
  await deps.oidc.checkIssuer(accepted.response.iss);
  const { result } = accepted.response;
  if ("error" in result) {
    const back =
      result.error === "invalid_scope" ? await departReduced(deps, request, accepted.flow) : undefined;
    if (back !== undefined) return back;
    const reason = readRefusal(deps.oidc.upstream, result);
    return { outcome: "cancelled", at: "provider", reason, flow: { forget } };
  }
  const { flow } = accepted;
  const { code } = result;
  return shareProviderLeg(`${flow.record.value} ${code}`, async () => {
    const signIn = await deps.oidc.exchangeCode(
      code,
      deriveSecret(flow, "code_verifier"),
      deriveSecret(flow, "nonce"),
      (unused) => keepProviderTokens(deps, unused),
    );
    if (isReduced(flow.leg)) deps.oidc.leaveOutOfflineAccess(flow.startedAt);
    return storeLink(deps, request, flow, signIn);
  });
}

/** Step 4, after a conflict. `state` is the form's. Throws state_mismatch, flow_expired, flow_finished. */
export function confirmMove(deps: Deps, state: string, request: Omit<FlowRequest, "query">): Promise<Linked> {
  return runStep(deps, request.requestId, "move", (bound) => move(bound, state, request));
}

async function move(
  deps: Deps,
  state: string,
  { records, browser, requestId }: Omit<FlowRequest, "query">,
): Promise<Linked> {
  const flow = openFlow(deps, ["move"], state, records);
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const values = {
    flowIdHash: hashFlowId(flow),
    pushDueAt: leasedUntil,
    ...newSession(deriveSession(flow), browser, now),
    requestId,
    now,
  };
  const moved = await retryOnConflict(() => deps.queries.upsertLink(values));
  if (moved === undefined) throw flowFinished("no such move waits for confirmation");
  logStep(deps, requestId, "move", "moved", moved.discordUserId);
  const claims = keepClaims(moved.claims);
  const pushed = await pushNow(deps, { ...moved, claims, pushFailures: 0, leasedUntil, requestId });
  const earlierRoleMayStay =
    moved.endedDiscordUserId !== null && (await roleMayStay(deps, moved.endedDiscordUserId, requestId));
  const session = begunSession(flow, moved.sessionExpiresAt);
  const forget = [flow.record.name];
  const accounts = linkedAccounts(moved, claims);
  return { ...accounts, outcome: "linked", pushed, earlierRoleMayStay, session, flow: { forget } };
}

/** Stores what the provider leg brought, and pushes where that made a link. */
async function storeLink(
  deps: Deps,
  { browser, requestId }: FlowRequest,
  flow: Flow,
  signIn: SignIn,
): Promise<Linked | Conflict> {
  const claims = keepClaims(signIn.claims);
  const move = continueFlow(deps, flow, "move");
  const forget = [flow.record.name];
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const values = {
    flowIdHash: hashFlowId(flow),
    issuer: signIn.issuer,
    subject: signIn.subject,
    claims,
    ...sealOrganisationTokens(deps, signIn),
    expiresAt: signIn.expiresAt ?? null,
    pushDueAt: leasedUntil,
    moveIdHash: hashFlowId(move),
    moveExpiresAt: secondsAfter(now, FLOW_TTL_SECONDS),
    ...newSession(deriveSession(flow), browser, now),
    requestId,
    now,
  };
  const stored = await insertOrKeep(deps, values);
  logStep(deps, requestId, "provider", stored.outcome, stored.discordUserId);
  const accounts = linkedAccounts(stored, claims);
  if (stored.outcome === "conflict_met") {
    const kept = { set: move.record, forget };
    return { ...accounts, ...heldAccounts(stored), outcome: "conflict", state: move.state, flow: kept };
  }
  const pushed = await pushNow(deps, { ...stored, claims, pushFailures: 0, leasedUntil, requestId });
  const session = begunSession(flow, stored.sessionExpiresAt);
  return {
    ...accounts,
    outcome: "linked",
    pushed,
    earlierRoleMayStay: false,
    session,
    flow: { forget },
  };
}

/** Stores the link. If that fails, the provider's tokens are kept, to be revoked. */
async function insertOrKeep(deps: Deps, values: Parameters<Deps["queries"]["insertLink"]>[0]) {
  try {
    const stored = await retryOnConflict(() => deps.queries.insertLink(values));
    if (stored !== undefined) return stored;
  } catch (error) {
    keepUnlinkedTokens(deps, values);
    throw error;
  }
  keepUnlinkedTokens(deps, values);
  throw flowFinished("the provider leg was finished before");
}

const begunSession = (flow: Flow, expiresAt: Date | null): BegunSession | undefined =>
  expiresAt === null ? undefined : { secrets: deriveSession(flow), expiresAt };

/** Two flows that link the same account at the same moment: the later one, asked again, finds what the earlier did. */
async function retryOnConflict<Row>(statement: () => Promise<Row>): Promise<Row> {
  try {
    return await statement();
  } catch (error) {
    if (!isCollision(error)) throw error;
    return statement();
  }
}

/**
 * Pushes at the end of a flow. False if Discord did not take it and trying again can help; what only a new sign-in
 * mends is thrown, so that the member is told: the link is stored either way.
 */
async function pushNow(deps: Deps, link: DuePush): Promise<boolean> {
  const failure = await pushLink(deps, link);
  if (failure?.code === "grant_ended" || failure?.code === "token_unreadable") throw failure;
  return failure === undefined;
}

/** Whether at least half of the request's time is left: what would be cut off is left to upkeep. */
const isEarly = ({ budget, budgetMs }: Deps): boolean =>
  budget === undefined || budget.leftMs() > budgetMs / 2;

/** Ends the old Discord account's grant, or leaves that to upkeep. True if the account may still have its role. */
async function roleMayStay(deps: Deps, discordUserId: string, requestId: string): Promise<boolean> {
  if (!isEarly(deps)) return true;
  try {
    return (await endDueGrantOf(deps, discordUserId)) !== "ended";
  } catch (error) {
    // Carrying on is right: the move is stored, and the end is due until it succeeds.
    deps.log.warn("grants_not_ended", { requestId, ...describeError(error) });
    return true;
  }
}

type AccountNames = { readonly username: string; readonly globalName: string | null };

function linkedAccounts({ username, globalName }: AccountNames, claims: KeptClaims): LinkedAccounts {
  return { discord: { username, globalName }, organisationName: organisationName(claims) };
}

function heldAccounts(row: {
  readonly heldByUsername: string | null;
  readonly heldByGlobalName: string | null;
  readonly isHeldByOrganisation: boolean;
  readonly heldOrganisationName: string | null;
}): Pick<Conflict, "heldByDiscord" | "heldByOrganisation"> {
  const { heldByUsername, heldByGlobalName } = row;
  return {
    heldByDiscord:
      heldByUsername === null ? undefined : { username: heldByUsername, globalName: heldByGlobalName },
    heldByOrganisation: row.isHeldByOrganisation ? (readName(row.heldOrganisationName) ?? null) : undefined,
  };
}
