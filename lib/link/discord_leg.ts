/**
 * The first half of the link flow: to Discord, and back with a code that becomes a stored grant and a flow that waits for
 * the provider leg. The second half is in `provider_leg.ts`.
 */
import type { Deps } from "../deps.ts";
import type { DiscordTokens, DiscordUser } from "../discord/client.ts";
import { banned, flowFinished, grantEnding } from "../errors.ts";
import { departToProvider } from "../flow/provider_departure.ts";
import type { Flow, Needs as FlowNeeds, FlowRecords } from "../flow/record.ts";
import {
  acceptCallback,
  deriveSession,
  FLOW_TTL_SECONDS,
  hashFlowId,
  makeRoom,
  startFlow,
} from "../flow/record.ts";
import { createSharing } from "../flow/sharing.ts";
import type { Cancelled, Departure, FlowRequest } from "../flow/step.ts";
import { cancel, createStep } from "../flow/step.ts";
import type { GrantDeps } from "../grants/discord_grant.ts";
import { clearSuperseded } from "../grants/role_connection_left.ts";
import { sealDiscordTokens } from "../grants/sealing.ts";
import { keepDiscordTokens } from "../grants/stray_tokens.ts";
import { sealSessionToken } from "../session/secrets.ts";
import { secondsAfter } from "../time.ts";

type Needs = FlowNeeds & GrantDeps & Pick<Deps, "oidc" | "requestId" | "instruments">;

const shareDiscordLeg = createSharing<Departure>();

/**
 * Step 1. Nothing is sent, and the database is not spoken to. At the leg `another` the member can use other accounts
 * than those that the two servers know them by. Throws the known fault of either server, so that nobody consents at
 * Discord for nothing.
 */
export function startLink(
  deps: Pick<Deps, "discordUrls" | "flowMacs" | "now" | "setup">,
  records: FlowRecords,
  leg: "discord" | "another",
): Departure {
  deps.setup.requireSound("provider");
  deps.setup.requireSound("discord_client");
  const { state, record } = startFlow(deps, leg);
  return {
    outcome: "departed",
    location: deps.discordUrls.authorizationUrl(state),
    flow: { set: record, forget: makeRoom(deps, records) },
  };
}

/**
 * Step 2. Throws what the callback, the exchange of the code and `@me` throw; grant_ending; banned; flow_finished where a
 * second account finishes the same flow.
 */
export const finishDiscordLeg = createStep(
  "discord",
  async (deps: Needs, { query, records }: FlowRequest): Promise<Departure | Cancelled> => {
    const { flow, response } = acceptCallback(deps, ["discord", "another"], query, records);
    const { result } = response;
    if ("error" in result) return cancel("discord", deps.discord.upstream, result, flow);
    const { code } = result;
    return shareDiscordLeg(`${flow.record.value} ${code}`, () => storeDiscordLeg(deps, flow, code));
  },
);

/** Exchanges the code of the Discord leg, and stores what it brings. */
async function storeDiscordLeg(deps: Needs, flow: Flow, code: string): Promise<Departure> {
  // The provider comes first: while it is down, no code of Discord's is spent for nothing.
  const { next, location } = await departToProvider(deps, flow);
  const tokens = await deps.discord.exchangeCode(code);
  const { user, stored } = await storeGrant(deps, next, tokens);
  const { discordUserId } = user;
  if (stored === undefined) throw grantEnding();
  if (stored.isBanned) {
    // The end of an earlier grant goes on with them, or else they are revoked.
    if (!stored.hasTokens) void keepDiscordTokens(deps, tokens, user);
    throw banned();
  }
  if (stored.clearDueAt !== null)
    await clearSuperseded(deps, discordUserId, stored.clearDueAt, tokens.accessToken);
  // The grant is stored without a flow. It ends as every grant does that nobody uses.
  if (!stored.hasFlow) throw flowFinished("the Discord leg was finished for another account");
  return {
    outcome: "departed",
    discordUserId,
    location,
    flow: { set: next.record, forget: [flow.record.name] },
  };
}

/** Asks whose tokens these are, and stores them. If that fails, they are kept, to be revoked. */
async function storeGrant(deps: Needs, next: Flow, tokens: DiscordTokens) {
  let user: DiscordUser | undefined;
  try {
    user = await deps.discord.findCurrentUser(tokens.accessToken);
    const now = deps.now();
    const stored = await deps.queries.finishDiscordLeg({
      ...user,
      ...sealDiscordTokens(deps, user.discordUserId, tokens),
      scope: tokens.scope,
      expiresAt: tokens.expiresAt,
      flowIdHash: hashFlowId(next),
      flowExpiresAt: secondsAfter(now, FLOW_TTL_SECONDS),
      sessionAccessTokenSealed: sealSessionToken(deriveSession(next), "access_token", tokens.accessToken),
      requestId: deps.requestId,
      now,
    });
    return { user, stored };
  } catch (error) {
    void keepDiscordTokens(deps, tokens, user);
    throw error;
  }
}
