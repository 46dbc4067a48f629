/**
 * A call at Discord for a member whose token Discord may refuse before its time. Only a refresh shows whether the grant has
 * ended. A new token that is refused as well is marked, and answered by no other refresh: a refresh can work while every
 * call is refused. https://github.com/discord/discord-api-docs/issues/6769
 */
import type { JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import { secondsAfter } from "../time.ts";
import type { GrantDeps, HeldGrant, HeldToken } from "./discord_grant.ts";
import { claimRefresh, freshToken, keepClaimed, refreshClaimed } from "./discord_grant.ts";
import { findDiscordToken } from "./sealing.ts";

/** A grant whose refused tokens are marked. */
export type CallingGrant = HeldGrant & {
  /** Since when Discord refuses tokens that it has just given; null if it does not. */
  readonly tokenRefusedAt: Date | null;
};

/** Why no call is possible: the grant is over until a sign-in, or Discord refuses a token that it has just given. */
export type TokenEnd = { readonly kind: "grant_ended" | "token_refused"; readonly failure: JanusError };

/** What came of a call. */
type Called<Result> =
  | { readonly result: Result; readonly end?: undefined }
  | { readonly result?: undefined; readonly end: TokenEnd };

/** If Discord refuses a token this soon after it gave it out, another refresh does not help. */
const NEW_FOR_SECONDS = 3_600;

/** Calls with the member's access token, and once more with a new one if Discord refuses it. Throws any other failure. */
export async function callWithToken<Result>(
  deps: GrantDeps,
  grant: CallingGrant,
  call: (accessToken: string) => Promise<Result>,
): Promise<Called<Result>> {
  const token = await unlessEnded(() => freshToken(deps, grant));
  if (token.end !== undefined) return { end: { kind: "grant_ended", failure: token.end } };
  const called = await unlessEnded(() => call(token.result.accessToken));
  if (called.end === undefined) return called;
  const refused: TokenEnd = { kind: "token_refused", failure: called.end };
  if (grant.tokenRefusedAt !== null) return { end: refused };
  const next = await unlessEnded(() => replaceRefused(deps, grant, token.result));
  if (next.end !== undefined) return { end: { kind: "grant_ended", failure: next.end } };
  if (next.result === undefined) return { end: refused };
  const { accessToken } = next.result;
  const again = await unlessEnded(() => call(accessToken));
  return again.end === undefined ? again : { end: { kind: "token_refused", failure: again.end } };
}

/** Another token for one that Discord refused; undefined if that one is new. Throws as a refresh does. */
async function replaceRefused(
  deps: GrantDeps,
  { discordUserId }: HeldGrant,
  { accessToken, accessTokenSealed }: HeldToken,
): Promise<HeldToken | undefined> {
  const now = deps.now();
  const claim = await claimRefresh(deps, discordUserId, now);
  // The same token may have been sealed again with another key.
  const isSame =
    claim.accessTokenSealed === accessTokenSealed ||
    findDiscordToken(deps, "access_token", claim.accessTokenSealed, discordUserId) === accessToken;
  if (!isSame) return keepClaimed(deps, claim);
  if (claim.obtainedAt <= secondsAfter(now, -NEW_FOR_SECONDS)) return refreshClaimed(deps, claim);
  await keepClaimed(deps, claim);
  return undefined;
}

type Attempt<Result> =
  | { readonly result: Result; readonly end?: undefined }
  | { readonly result?: undefined; readonly end: JanusError };

/** The result, or that Discord says that the grant or its token is over. */
async function unlessEnded<Result>(work: () => Promise<Result>): Promise<Attempt<Result>> {
  try {
    return { result: await work() };
  } catch (error) {
    const failure = asJanusError(error);
    if (failure.code !== "grant_ended") throw error;
    return { end: failure };
  }
}
