/**
 * Undoing a link. Link, claims and sessions are gone when this returns; the grants at Discord and at the provider end
 * now, or as soon as each server takes it.
 */
import type { WorkDeps } from "../deps.ts";
import { notLinked } from "../errors.ts";
import { createStep } from "../flow/step.ts";
import type { GrantDeps } from "../grants/discord_grant.ts";
import type { GrantEnd } from "../grants/end_discord_grant.ts";
import { isDone, tryEndGrant } from "../grants/end_discord_grant.ts";
import type { ProviderGrantDeps } from "../grants/provider_grant.ts";
import { tryEndProviderGrant } from "../grants/provider_grant.ts";
import { leaseFrom } from "../grants/refresh_lease.ts";
import type { Session } from "../session/guard.ts";

/** What ending both grants needs. */
export type EndDeps = GrantDeps & ProviderGrantDeps;

/** What unlinking works with. `requestId` is null for a command. */
export type UnlinkDeps = EndDeps & Pick<WorkDeps, "requestId">;

/** The link is gone. */
export type Unlinked = {
  readonly outcome: "unlinked";
  readonly discordUserId: string;
  /** Whether Discord has been told. */
  readonly discordTold: boolean;
  /** Whether the provider has been told, or need not be. */
  readonly providerTold: boolean;
  /** Whether Discord refused to clear the role connection, so that the member may keep the role. */
  readonly roleMayStay: boolean;
};

/** Who undoes a link, for the trail: an operator, with a reason if they give one, or else the member. */
type By = { readonly operator: string; readonly detail: { readonly reason: string } | null };
const BY_MEMBER = { operator: null, detail: null };

/** Undoes the member's link. Throws not_linked. */
export const unlink = createStep(
  "unlink",
  (
    deps: UnlinkDeps & Pick<WorkDeps, "instruments">,
    { discordUserId }: Pick<Session, "discordUserId">,
  ): Promise<Unlinked> => undoLink(deps, discordUserId),
);

/** Undoes a link, for its member or for an operator. Throws not_linked. */
export async function undoLink(
  deps: UnlinkDeps,
  discordUserId: string,
  by: By | typeof BY_MEMBER = BY_MEMBER,
): Promise<Unlinked> {
  const unlinked = await undo(deps, { discordUserId, requestId: deps.requestId, onlyBanned: false, by });
  if (unlinked === undefined) throw notLinked();
  return unlinked;
}

/** The link that is to end, and for whom: a request of its member's, or of an operator's. */
type Undone = {
  readonly discordUserId: string;
  readonly requestId: string | null;
  /** Leaves a link of which neither account is banned. */
  readonly onlyBanned: boolean;
  readonly by?: By | typeof BY_MEMBER;
};

/** Ends a link here, and tells both servers. Undefined if there is none that is meant. */
export async function undo(
  deps: EndDeps,
  { by = BY_MEMBER, ...undone }: Undone,
): Promise<Unlinked | undefined> {
  const { discordUserId } = undone;
  const removed = await deps.queries.unlink({ ...undone, ...by, ...leaseFrom(deps.now()) });
  if (removed === undefined) return undefined;
  const [end, providerTold] = await Promise.all([
    endAtDiscord(deps, { ...removed, discordUserId }),
    endAtProvider(deps, removed),
  ]);
  return {
    outcome: "unlinked",
    discordUserId,
    discordTold: isDone(end),
    providerTold,
    roleMayStay: end === "role_may_stay",
  };
}

type Removed = NonNullable<Awaited<ReturnType<EndDeps["queries"]["unlink"]>>>;

/** A grant that is in use is due to end as soon as it is not: upkeep ends it. */
async function endAtDiscord(deps: EndDeps, removed: Removed): Promise<GrantEnd> {
  return removed.isInUse ? "put_off" : tryEndGrant(deps, { ...removed, endFailures: 0 });
}

async function endAtProvider(deps: EndDeps, removed: Removed): Promise<boolean> {
  const { issuer, subject, organisationAccessTokenSealed, organisationRefreshTokenSealed } = removed;
  if (organisationAccessTokenSealed === null) return true;
  return tryEndProviderGrant(deps, {
    issuer,
    subject,
    accessTokenSealed: organisationAccessTokenSealed,
    refreshTokenSealed: organisationRefreshTokenSealed,
    replacedTokens: removed.replacedTokens ?? [],
    endFailures: 0,
  });
}
