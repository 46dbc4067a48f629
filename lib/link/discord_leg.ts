/**
 * The first half of the link flow: off to Discord, and back with a code, which becomes a stored grant and a flow that the
 * provider leg takes. It makes no link.
 *
 *   GET /linked-role[/another]   startLink          seed in a cookie, state derived from it; to Discord
 *   GET /discord-oauth-callback  finishDiscordLeg   code for tokens, whose they are, stored; to the provider
 */
import type { Deps } from "../deps.ts";
import type { DiscordTokens, DiscordUser } from "../discord/client.ts";
import { flowFinished, grantEnding } from "../errors.ts";
import { departToProvider } from "../flow/provider_departure.ts";
import type { Flow, FlowRecords } from "../flow/record.ts";
import {
  acceptCallback,
  deriveSession,
  FLOW_TTL_SECONDS,
  hashFlowId,
  logStep,
  makeRoom,
  runStep,
  startFlow,
} from "../flow/record.ts";
import { createSharing } from "../flow/sharing.ts";
import type { Cancelled, Departure, FlowRequest } from "../flow/step.ts";
import { sealDiscordTokens } from "../grants/discord_grant.ts";
import { clearSuperseded } from "../grants/role_connection_left.ts";
import { keepDiscordTokens } from "../grants/stray_tokens.ts";
import { readRefusal } from "../oauth/authorization.ts";
import { sealSessionToken } from "../session/secrets.ts";
import { secondsAfter } from "../time.ts";

const shareDiscordLeg = createSharing<Departure>();

/**
 * Step 1. Nothing is sent and the database is not spoken to. At the leg `another` the member can use other accounts
 * than those that the two servers know them by.
 */
export function startLink(deps: Deps, records: FlowRecords, leg: "discord" | "another"): Departure {
  const { state, record } = startFlow(deps, leg);
  return {
    outcome: "departure",
    location: deps.discord.authorizationUrl(state),
    flow: { set: record, forget: makeRoom(deps, records) },
  };
}

/**
 * Step 2. Errors of the callback, of the token exchange and of `@me`; grant_ending; flow_finished for a second account
 * at the same moment.
 */
export function finishDiscordLeg(deps: Deps, request: FlowRequest): Promise<Departure | Cancelled> {
  return runStep(deps, request.requestId, "discord", (bound) => takeDiscordLeg(bound, request));
}

async function takeDiscordLeg(deps: Deps, request: FlowRequest): Promise<Departure | Cancelled> {
  const accepted = acceptCallback(deps, ["discord", "another"], request.query, request.records);
  const forget = [accepted.flow.record.name];
  const { result } = accepted.response;
  if ("error" in result) {
    const reason = readRefusal(deps.discord.upstream, result);
    return { outcome: "cancelled", at: "discord", reason, flow: { forget } };
  }
  const { code } = result;
  return shareDiscordLeg(`${accepted.flow.record.value} ${code}`, () =>
    storeDiscordLeg(deps, request, accepted.flow, code),
  );
}

/** Exchanges the code of the Discord leg and stores what it brings. */
async function storeDiscordLeg(
  deps: Deps,
  request: FlowRequest,
  flow: Flow,
  code: string,
): Promise<Departure> {
  // Asked for first: while the provider is down, the code at Discord is not spent for nothing.
  const { next, location } = await departToProvider(deps, flow);
  const tokens = await deps.discord.exchangeCode(code);
  const { user, stored } = await storeGrant(deps, request, next, tokens);
  if (stored === undefined) throw grantEnding();
  if (stored.clearDueAt !== null)
    await clearSuperseded(deps, user.discordUserId, stored.clearDueAt, tokens.accessToken);
  // What this code brought is stored, and ends as every grant does that nobody uses.
  if (!stored.hasFlow) throw flowFinished("the Discord leg was finished for another account");
  logStep(deps, request.requestId, "discord", "stored", user.discordUserId);
  return { outcome: "departure", location, flow: { set: next.record, forget: [flow.record.name] } };
}

/** Finds whose tokens these are, and stores them. If that fails, they are kept, to be revoked. */
async function storeGrant(deps: Deps, { requestId }: FlowRequest, next: Flow, tokens: DiscordTokens) {
  let user: DiscordUser | undefined;
  try {
    user = await deps.discord.findCurrentUser(tokens.accessToken);
    const now = deps.now();
    const stored = await deps.queries.insertFlow({
      ...user,
      ...sealDiscordTokens(deps, user.discordUserId, tokens),
      scope: tokens.scope,
      expiresAt: tokens.expiresAt,
      flowIdHash: hashFlowId(next),
      flowExpiresAt: secondsAfter(now, FLOW_TTL_SECONDS),
      sessionAccessTokenSealed: sealSessionToken(deriveSession(next), "access_token", tokens.accessToken),
      requestId,
      now,
    });
    return { user, stored };
  } catch (error) {
    keepDiscordTokens(deps, tokens, user);
    throw error;
  }
}
