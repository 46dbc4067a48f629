/**
 * The result of a link flow: the two accounts, the session that begins with the link, and whether Discord took the push.
 * The provider leg and a move both end with it.
 */
import { isCollision } from "../database/failures.ts";
import type { DiscordUser } from "../discord/client.ts";
import type { Flow, FlowChange } from "../flow/record.ts";
import { deriveSession } from "../flow/record.ts";
import type { StoredClaims } from "../rules/claims.ts";
import { organisationName } from "../rules/claims.ts";
import type { BegunSession } from "../session/secrets.ts";
import type { Told } from "../sync/decision.ts";
import type { DuePush, Needs } from "../sync/push.ts";
import { pushLink } from "../sync/push.ts";

/** The two accounts of a link, as they are shown. */
export type LinkedAccounts = {
  readonly discord: Pick<DiscordUser, "username" | "globalName">;
  /** Null if no claim gives one. */
  readonly organisationName: string | null;
};

/** The link is stored, for the first time or once more, or moved from an earlier one. */
export type Linked = LinkedAccounts & {
  readonly outcome: "linked" | "relinked" | "moved";
  readonly discordUserId: string;
  /** Whether Discord has taken the role connection already. */
  readonly pushed: boolean;
  /** What Discord has been told, or will be. */
  readonly told: Told;
  /** Whether the Discord account that the link was moved from may still have its role. */
  readonly earlierRoleMayStay: boolean;
  /** Undefined where none could be made; the link does not depend on it. */
  readonly session: BegunSession | undefined;
  /** What its page is called. */
  readonly resultName: string;
  readonly flow: FlowChange;
};

type StoredAccounts = { readonly username: string; readonly globalName: string | null };

/** The accounts of a link as its statement gives them back. */
export function linkedAccounts(
  { username, globalName }: StoredAccounts,
  claims: StoredClaims,
): LinkedAccounts {
  return { discord: { username, globalName }, organisationName: organisationName(claims) ?? null };
}

/** The session that a flow's secrets begin; undefined where its access token lives no longer. */
export function begunSession(flow: Flow, expiresAt: Date | null): BegunSession | undefined {
  return expiresAt === null ? undefined : { secrets: deriveSession(flow), expiresAt };
}

/** Runs a statement that two flows may send for the same account at once: the later one then finds what the first did. */
export async function retryOnConflict<Row>(statement: () => Promise<Row>): Promise<Row> {
  try {
    return await statement();
  } catch (error) {
    if (!isCollision(error)) throw error;
    return statement();
  }
}

/**
 * Pushes at the end of a flow. `pushed` is false if Discord did not take it and another try can help. The link is stored
 * either way; what only a new sign-in mends is thrown, so that the member is told.
 */
export async function pushNow(deps: Needs, link: DuePush): Promise<Pick<Linked, "pushed" | "told">> {
  const { failure, told } = await pushLink(deps, link);
  if (failure?.code === "grant_ended" || failure?.code === "token_unreadable") throw failure;
  return { pushed: failure === undefined, told };
}
