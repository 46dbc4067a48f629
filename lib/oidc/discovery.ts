/**
 * The discovery document: fetched when it is first needed, kept, and renewed in the background once it is an hour old.
 * `document.ts` reads and checks it. OpenID Connect Discovery 1.0, 4
 */
import { providerMisconfigured } from "../errors.ts";
import { waitWithin } from "../oauth/budget.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { describeError } from "../telemetry/log.ts";
import type { DiscoveryDocument } from "./document.ts";
import { fetchDocument, findDocumentFaults, findUnused, parseDocument, saidOf } from "./document.ts";
import type { EndpointRules } from "./endpoints.ts";

/** The part of the document that Janus uses. Every endpoint is an address that `endpoints.ts` allows. */
export type ProviderMetadata = {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly userinfoEndpoint: string | undefined;
  /** RFC 7009, RFC 8414 2 */
  readonly revocationEndpoint: string | undefined;
  readonly scopesSupported: readonly string[];
  /** Undefined where the provider does not say. Initiating User Registration 1.0, 4 */
  readonly promptValues: readonly string[] | undefined;
  readonly tokenAuthMethods: readonly string[];
  /** Whether the provider promises `iss` in its authorization responses. RFC 9207 3 */
  readonly sendsIss: boolean;
};

/** The document's loader. */
type Discovery = {
  /**
   * The document. One fetch at a time serves all requests, and is logged with the id of the one that began it; each
   * waits no longer than it has time. Throws provider_unavailable, provider_misconfigured.
   */
  readonly load: (upstream: Upstream) => Promise<ProviderMetadata>;
  /** The same, fetched again before if that was more than a minute ago; the old document where that fails. */
  readonly renew: (upstream: Upstream) => Promise<ProviderMetadata>;
  /** Whether it was ever loaded. */
  readonly isLoaded: () => boolean;
};

const MAX_AGE_MS = 3_600_000;
const RETRY_MS = 60_000;

/** Makes the loader of one issuer's document. `own` is bound to no request, as renewals are. */
export function createDiscovery(own: Upstream, rules: EndpointRules, now: () => Date): Discovery {
  let held:
    | { readonly metadata: ProviderMetadata; readonly freshUntil: number; readonly triedAt: number }
    | undefined;
  let pending: Promise<ProviderMetadata> | undefined;

  const reload = async (upstream: Upstream): Promise<ProviderMetadata> => {
    const metadata = await fetchMetadata(upstream, rules);
    const triedAt = now().getTime();
    held = { metadata, freshUntil: triedAt + MAX_AGE_MS, triedAt };
    return metadata;
  };
  /** The old document stays in use until there is a new one: endpoints outlive outages, and each answer is checked. */
  const refresh = async (old: ProviderMetadata): Promise<void> => {
    // For a minute no other request tries.
    const triedAt = now().getTime();
    held = { metadata: old, freshUntil: triedAt + RETRY_MS, triedAt };
    try {
      await reloadOnce(own);
    } catch (error) {
      own.log.warn("discovery_not_refreshed", describeError(error));
    }
  };
  /** Fetches for all requests that wait, so in no request's budget; the log has the id of the first. */
  const reloadOnce = ({ requestId }: Upstream): Promise<ProviderMetadata> => {
    pending ??= reload(requestId === undefined ? own : { ...own, requestId }).finally(() => {
      pending = undefined;
    });
    return pending;
  };

  const load = async (upstream: Upstream): Promise<ProviderMetadata> => {
    if (held === undefined) return waitWithin(upstream, "discovery", reloadOnce(upstream));
    const { metadata, freshUntil } = held;
    if (now().getTime() >= freshUntil) void refresh(metadata);
    return metadata;
  };

  return {
    isLoaded: () => held !== undefined,
    load,
    renew: async (upstream) => {
      if (held !== undefined && now().getTime() - held.triedAt > RETRY_MS) await refresh(held.metadata);
      return load(upstream);
    },
  };
}

async function fetchMetadata(upstream: Upstream, rules: EndpointRules): Promise<ProviderMetadata> {
  const json = await fetchDocument(upstream, rules.issuer);
  const document = parseDocument(json, rules);
  const metadata = readDocument(document, rules.issuer);
  const unused = findUnused(json, document);
  if (unused.length > 0) {
    const reason = `discovery: ignored, because malformed or not https: ${unused.join(", ")}`;
    upstream.log.warn("discovery_partly_ignored", { requestId: upstream.requestId, reason });
  }
  return metadata;
}

function readDocument(document: DiscoveryDocument, issuer: string): ProviderMetadata {
  const [fault] = findDocumentFaults(document, issuer);
  if (fault !== undefined) throw providerMisconfigured(fault.reason);
  return {
    issuer,
    authorizationEndpoint: document.authorization_endpoint,
    tokenEndpoint: document.token_endpoint,
    jwksUri: document.jwks_uri,
    userinfoEndpoint: document.userinfo_endpoint,
    revocationEndpoint: document.revocation_endpoint,
    scopesSupported: document.scopes_supported ?? [],
    promptValues: saidOf(document.prompt_values_supported),
    // RFC 8414 2: client_secret_basic if omitted.
    tokenAuthMethods: saidOf(document.token_endpoint_auth_methods_supported) ?? ["client_secret_basic"],
    sendsIss: document.authorization_response_iss_parameter_supported ?? false,
  };
}
