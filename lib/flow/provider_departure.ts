/**
 * The departures to the provider: after the Discord leg, and once more if the provider refuses a scope that Janus has added
 * by itself.
 *
 * The leg in the flow's record says that a scope was added. This process could not remember it: the callback may reach
 * another process, and other tabs may be under way. No leg leads back to one that can be refused in this way, so a flow
 * cannot go in circles.
 */
import type { WorkDeps } from "../deps.ts";
import type { Flow, Needs as FlowNeeds, Leg } from "./record.ts";
import { continueFlow, deriveSecret, divertFlow, isForOtherAccount, isReduced } from "./record.ts";
import type { Departure } from "./step.ts";

type Needs = FlowNeeds & Pick<WorkDeps, "oidc">;

/** A flow at its new leg, and where to send the browser. */
type ProviderDeparture = { readonly next: Flow; readonly location: string };

/** For each leg with the added scope, the same leg without it. */
const REDUCED: ReadonlyMap<Leg, Leg> = new Map([
  ["provider", "reduced"],
  ["provider_other", "reduced_other"],
]);

/** Leaves for the provider after the Discord leg. Throws as `oidc.authorizationUrl`. */
export function departToProvider(deps: Needs, flow: Flow): Promise<ProviderDeparture> {
  const full: Leg = isForOtherAccount(flow.leg) ? "provider_other" : "provider";
  const leg = deps.oidc.leavesOutOfflineAccess() ? (REDUCED.get(full) ?? full) : full;
  return depart(deps, continueFlow(deps, flow, leg));
}

/**
 * Leaves for the provider once more, without offline_access, after it answered `invalid_scope`. Undefined where that
 * would not help: Janus had not added the scope, or the flow has been there without it.
 */
export async function departReduced(deps: Needs, flow: Flow): Promise<Departure | undefined> {
  const leg = REDUCED.get(flow.leg);
  if (leg === undefined || !(await deps.oidc.addsOfflineAccess())) return undefined;
  const { next, location } = await depart(deps, divertFlow(flow, leg));
  return { outcome: "sent_back", location, flow: { set: next.record, forget: [flow.record.name] } };
}

async function depart(deps: Needs, next: Flow): Promise<ProviderDeparture> {
  const location = await deps.oidc.authorizationUrl(
    next.state,
    deriveSecret(next, "nonce"),
    deriveSecret(next, "code_verifier"),
    { otherAccount: isForOtherAccount(next.leg), reduced: isReduced(next.leg) },
  );
  return { next, location };
}
