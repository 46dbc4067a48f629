/** Signing in with Discord only: to Discord, and back with a code that becomes a session. It makes no link. */
import type { Deps } from "../deps.ts";
import type { DiscordTokens, DiscordUser } from "../discord/client.ts";
import { grantEnding } from "../errors.ts";
import type { Flow, FlowChange, Needs as FlowNeeds, FlowRecords } from "../flow/record.ts";
import { acceptCallback, deriveSecret, makeRoom, startFlow } from "../flow/record.ts";
import { createSharing } from "../flow/sharing.ts";
import type { Cancelled, Departure, FlowRequest } from "../flow/step.ts";
import { cancel, createStep } from "../flow/step.ts";
import type { KeepDeps } from "../grants/stray_tokens.ts";
import { keepDiscordTokens } from "../grants/stray_tokens.ts";
import type { BegunSession, Browser, SessionSecrets } from "./secrets.ts";
import { createSessionSecrets, newSession, sealSessionToken } from "./secrets.ts";

type Needs = FlowNeeds & KeepDeps & Pick<Deps, "discord" | "log" | "requestId" | "instruments">;

/** The member is signed in. */
type SignedIn = {
  readonly outcome: "signed_in";
  readonly discordUserId: string;
  readonly session: BegunSession;
  readonly flow: FlowChange;
};

const shareLogin = createSharing<SignedIn>();

/** Sends the member to Discord. Nothing is sent and the database is not spoken to. Throws the known fault of Discord. */
export function startLogin(
  deps: Pick<Deps, "discordUrls" | "flowMacs" | "now" | "setup">,
  records: FlowRecords,
): Departure {
  deps.setup.requireSound("discord_client");
  const flow = startFlow(deps, "login");
  return {
    outcome: "departed",
    location: deps.discordUrls.loginUrl(flow.state, deriveSecret(flow, "code_verifier")),
    flow: { set: flow.record, forget: makeRoom(deps, records) },
  };
}

/** Back from Discord. Throws what the callback, the exchange of the code and `@me` throw; grant_ending. */
export const finishLogin = createStep(
  "login",
  async (deps: Needs, { query, records, browser }: FlowRequest): Promise<SignedIn | Cancelled> => {
    const { flow, response } = acceptCallback(deps, ["login"], query, records);
    const { result } = response;
    if ("error" in result) return cancel("discord", deps.discord.upstream, result, flow);
    const { code } = result;
    return shareLogin(`${flow.record.value} ${code}`, () => beginSession(deps, browser, flow, code));
  },
);

/** Exchanges the code and stores the session. */
async function beginSession(deps: Needs, browser: Browser, flow: Flow, code: string): Promise<SignedIn> {
  const tokens = await deps.discord.exchangeLoginCode(code, deriveSecret(flow, "code_verifier"));
  const secrets = createSessionSecrets();
  const { user, sessionExpiresAt } = await storeSession(deps, browser, secrets, tokens);
  return {
    outcome: "signed_in",
    discordUserId: user.discordUserId,
    session: { secrets, expiresAt: sessionExpiresAt },
    flow: { forget: [flow.record.name] },
  };
}

/** Finds whose tokens these are, and stores the session. If that fails, the tokens are kept, to be revoked. */
async function storeSession(deps: Needs, browser: Browser, secrets: SessionSecrets, tokens: DiscordTokens) {
  let user: DiscordUser | undefined;
  try {
    user = await deps.discord.findSignedInUser(tokens.accessToken);
    const now = deps.now();
    const { sessionExpiresAt, ...session } = newSession(secrets, browser, now);
    const stored = await deps.queries.logIn({
      ...session,
      ...user,
      accessTokenSealed: sealSessionToken(secrets, "access_token", tokens.accessToken),
      refreshTokenSealed: sealSessionToken(secrets, "refresh_token", tokens.refreshToken),
      tokenExpiresAt: tokens.expiresAt,
      expiresAt: sessionExpiresAt,
      requestId: deps.requestId,
      now,
    });
    if (stored === undefined) throw grantEnding();
    return { user, sessionExpiresAt };
  } catch (error) {
    void keepDiscordTokens(deps, tokens, user);
    throw error;
  }
}
