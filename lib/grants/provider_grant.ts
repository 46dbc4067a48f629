/**
 * The end of a member's grant at the provider: revoked where the provider can, then removed here. An outage puts it off.
 * It ends by the provider's own answer, or because the provider has no revocation endpoint.
 */

import type { WorkDeps } from "../deps.ts";
import type { LogOutcome } from "../telemetry/events.ts";
import { describeError } from "../telemetry/log.ts";
import { endRetryAt } from "./end_retry.ts";
import { leaseFrom, tryTo } from "./refresh_lease.ts";
import type { Round } from "./round.ts";
import { ROUND_LIMIT, roundOf } from "./round.ts";
import { openOrganisationToken } from "./sealing.ts";

/** What work on a provider's grant needs. */
export type ProviderGrantDeps = Pick<WorkDeps, "config" | "queries" | "oidc" | "tokenSealer" | "now" | "log">;

type SealedToken = { readonly kind: "access_token" | "refresh_token"; readonly sealed: string };

type EndingGrant = {
  readonly issuer: string;
  readonly subject: string;
  readonly accessTokenSealed: string;
  readonly refreshTokenSealed: string | null;
  /** Tokens that later sign-ins have replaced, the oldest first. They live on at the provider until they are revoked. */
  readonly replacedTokens: readonly SealedToken[];
  /** How often its end has failed. */
  readonly endFailures: number;
};

/** One round: claims the grants that are to end, and ends each at the provider, then here. */
export async function endDueProviderGrants(deps: ProviderGrantDeps): Promise<Round> {
  const due = await deps.queries.claimProviderEndDue({ limit: ROUND_LIMIT, ...leaseFrom(deps.now()) });
  const ended = await Promise.all(due.map((grant) => tryEndProviderGrant(deps, grant)));
  return roundOf(due.length, ended.filter(Boolean).length);
}

/** Ends one grant that was claimed: at the provider, then here; true if it has ended, else it is due again later. */
export async function tryEndProviderGrant(deps: ProviderGrantDeps, grant: EndingGrant): Promise<boolean> {
  const { issuer, subject, accessTokenSealed } = grant;
  try {
    const outcome = await endAtProvider(deps, grant);
    const lastReplacedTokenSealed = grant.replacedTokens.at(-1)?.sealed ?? null;
    const ended = { issuer, subject, accessTokenSealed, lastReplacedTokenSealed, now: deps.now() };
    await deps.queries.deleteOrganisationToken(ended);
    const isLeft = outcome === "given_up" || outcome === "refused";
    deps.log[isLeft ? "error" : "info"]("provider_grant_ended", { outcome });
    return true;
  } catch (error) {
    // Carrying on is right: this one is tried again later, and the next has nothing to do with it.
    deps.log.warn("provider_grant_not_ended", { outcome: "put_off", ...describeError(error) });
    const endDueAt = endRetryAt(deps.now(), grant.endFailures, error);
    await tryTo(deps, "put_off", () => deps.queries.setProviderEndDue({ issuer, subject, endDueAt }));
    return false;
  }
}

/** Revokes every token of the grant, replaced ones first. Returns "revoked", or what became of a token that was not. */
async function endAtProvider(deps: ProviderGrantDeps, grant: EndingGrant): Promise<LogOutcome> {
  // OIDC_ISSUER was changed: the grant is of another provider, which Janus no longer talks to.
  if (grant.issuer !== deps.config.oidc.issuer) return "of_another_issuer";
  const { accessTokenSealed, refreshTokenSealed, replacedTokens } = grant;
  const current: SealedToken =
    refreshTokenSealed === null
      ? { kind: "access_token", sealed: accessTokenSealed }
      : { kind: "refresh_token", sealed: refreshTokenSealed };
  let outcome: LogOutcome = "revoked";
  for (const { kind, sealed } of [...replacedTokens, current]) {
    const token = openOrganisationToken(deps, kind, grant, sealed);
    // A token that no key opens can end nothing: it is given up.
    const revocation = token === undefined ? "given_up" : await deps.oidc.revokeToken(kind, token);
    if (revocation === "unsupported") return "no_revocation";
    if (revocation !== "revoked") outcome = revocation;
  }
  return outcome;
}
