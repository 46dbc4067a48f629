/**
 * What a refresh that failed says of its grant, at Discord and at the provider alike: whether its token may be spent, and
 * whether the grant has ended. Only the server's own word ends a grant. docs/decisions/0045
 */
import { asJanusError } from "../errors.ts";

/** Why a refresh token is dead. `unanswered`: an answer was lost, so Janus itself may have spent it. */
export type GrantEndCause = "invalid_grant" | "invalid_request" | "unanswered";

/** The same of a grant at Discord. `deauthorized`: the member has removed Janus there, and Janus has forgotten the tokens. */
export type DiscordEndCause = GrantEndCause | "deauthorized";

/** What is known of a refresh token before it is sent. */
export type RefreshHistory = {
  /** Whether an earlier refresh with it got no answer: that one may have spent it. */
  readonly isUnanswered: boolean;
  /** How often in a row the server has answered `invalid_request`. */
  readonly refreshRefusals: number;
};

/** How a failure is recorded. */
export type RefreshFailure = {
  /** The server has not spent the token, neither now nor with an earlier refresh. */
  readonly isUnspent: boolean;
  /** It answered `invalid_request`. */
  readonly isRefused: boolean;
  /** Null if the grant lives on. */
  readonly endCause: GrantEndCause | null;
};

/** After so many in a row, `invalid_request` means a refresh token that the server no longer knows. */
const MAX_REFUSALS = 3;

/** Errors that show that the server has not spent the token. */
const UNSPENT: readonly string[] = [
  "discord_client_rejected",
  "provider_client_rejected",
  "grant_ended",
  "token_unreadable",
];

/** Whether the server has answered a refresh with `invalid_request`. */
export const isRefused = (error: unknown): boolean => asJanusError(error).code === "refresh_refused";

/** Reads the failure of a refresh. */
export function readRefreshFailure(
  { isUnanswered, refreshRefusals }: RefreshHistory,
  error: unknown,
): RefreshFailure {
  const { code, isUntaken } = asJanusError(error);
  const isNo = isRefused(error);
  const isUnspent = !isUnanswered && (isUntaken || isNo || UNSPENT.includes(code));
  const isEnd = code === "grant_ended" || (isNo && refreshRefusals + 1 >= MAX_REFUSALS);
  const failure = { isUnspent, isRefused: isNo };
  if (!isEnd) return { ...failure, endCause: null };
  if (isUnanswered) return { ...failure, endCause: "unanswered" };
  return { ...failure, endCause: isNo ? "invalid_request" : "invalid_grant" };
}
