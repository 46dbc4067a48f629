/**
 * The scope offline_access, for which a provider gives a refresh token: when Janus asks for it by itself, and when it
 * leaves it out because the provider announces it but refuses it to this client. OpenID Connect Core 1.0, 11
 */
import type { Config } from "../config/load.ts";
import type { Upstream } from "../oauth/upstream.ts";
import type { ProviderMetadata } from "./discovery.ts";

/** The scope's name. */
export const OFFLINE_ACCESS = "offline_access";

const LEFT_OUT_MS = 3_600_000;

/** Whether Janus asks for it by itself: the provider announces it, and the operator has set no scopes. */
export function addsOfflineAccess(config: Config["oidc"], metadata: ProviderMetadata): boolean {
  return config.scopes === undefined && metadata.scopesSupported.includes(OFFLINE_ACCESS);
}

/** Whether the scope is left out, for all members. */
type OfflineAccess = {
  readonly isLeftOut: () => boolean;
  /**
   * Leaves it out for an hour, once a member has come through without it whom the provider had refused with it. The
   * refusal alone proves nothing, since it comes through a browser. A leg that began (at `startedAt`, in milliseconds)
   * while the scope was left out proves nothing either.
   */
  readonly leaveOut: (upstream: Upstream, startedAt: number) => void;
};

/** Starts by asking for it. */
export function createOfflineAccess(now: () => Date): OfflineAccess {
  let leftOutUntil = Number.NEGATIVE_INFINITY;
  return {
    isLeftOut: () => now().getTime() < leftOutUntil,
    leaveOut: (upstream, startedAt) => {
      if (startedAt < leftOutUntil) return;
      leftOutUntil = now().getTime() + LEFT_OUT_MS;
      const reason =
        "the provider announces offline_access but refuses it to this client: allow the scope at the provider, or set " +
        "OIDC_SCOPES without it";
      upstream.log.warn("offline_access_left_out", { requestId: upstream.requestId, reason });
    },
  };
}
