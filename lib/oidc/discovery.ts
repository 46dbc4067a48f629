/**
 * The provider's discovery document: fetched when it is first needed, checked, kept, and renewed in the background
 * once it is an hour old. `endpoints.ts` says which addresses it may name. OpenID Connect Discovery 1.0, 4
 */
import * as v from "valibot";
import type { JanusError } from "../errors.ts";
import { providerMisconfigured, providerUnavailable } from "../errors.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { isOutage, parseJson, send, unavailable, waitWithin } from "../oauth/upstream.ts";
import { describeError } from "../telemetry/log.ts";
import { printable } from "../text/printable.ts";
import { nameAlgorithms, SIGNING_ALGORITHMS, SIGNING_REMEDY } from "./algorithms.ts";
import type { EndpointRules } from "./endpoints.ts";
import { createEndpointSchema, NOT_HTTPS } from "./endpoints.ts";

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

/** How much of an issuer a message repeats. */
const MAX_SHOWN = 300;

const MAX_LIST_LENGTH = 1_000;
/** The texts of a list. A list without any text is malformed, unless it is empty. */
const list = v.pipe(
  v.array(v.unknown()),
  v.maxLength(MAX_LIST_LENGTH),
  v.check((values) => values.length === 0 || values.some((value) => typeof value === "string")),
  v.transform((values) => values.filter((value) => typeof value === "string")),
  v.transform((texts) => texts.filter((text) => text !== "")),
);
/** A field that Janus can do without: undefined where it is missing or malformed. */
const optional = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.optional(v.fallback(v.union([schema, v.undefined()]), undefined));
const OPTIONAL_LISTS = {
  scopes_supported: optional(list),
  response_types_supported: optional(list),
  code_challenge_methods_supported: optional(list),
  id_token_signing_alg_values_supported: optional(list),
  token_endpoint_auth_methods_supported: optional(list),
  prompt_values_supported: optional(list),
};

type DocumentSchema = ReturnType<typeof createDocumentSchema>;

function createDocumentSchema(rules: EndpointRules) {
  const asked = createEndpointSchema(rules, "janus");
  return v.object({
    issuer: v.string(),
    authorization_endpoint: createEndpointSchema(rules, "browser"),
    token_endpoint: asked,
    jwks_uri: asked,
    userinfo_endpoint: optional(asked),
    revocation_endpoint: optional(asked),
    ...OPTIONAL_LISTS,
    authorization_response_iss_parameter_supported: optional(v.boolean()),
  });
}

/** Makes the loader of one issuer's document. `own` is bound to no request, as renewals are. */
export function createDiscovery(own: Upstream, rules: EndpointRules, now: () => Date): Discovery {
  const schema = createDocumentSchema(rules);
  let held:
    | { readonly metadata: ProviderMetadata; readonly freshUntil: number; readonly triedAt: number }
    | undefined;
  let pending: Promise<ProviderMetadata> | undefined;

  const reload = async (upstream: Upstream): Promise<ProviderMetadata> => {
    const metadata = await fetchMetadata(upstream, rules.issuer, schema);
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

async function fetchMetadata(
  upstream: Upstream,
  issuer: string,
  schema: DocumentSchema,
): Promise<ProviderMetadata> {
  // 4.1: a terminating slash of the issuer is removed before the well-known path is appended.
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const answer = await send(upstream, "discovery", url, { headers: { accept: "application/json" } });
  if (isOutage(answer.status)) {
    throw unavailable(upstream, `discovery: answered ${answer.status}`, answer);
  }
  if (answer.status !== 200) {
    throw providerMisconfigured(`discovery: answered ${answer.status}: check OIDC_ISSUER`);
  }
  const json = parseJson(answer.text);
  if (json === undefined) throw providerUnavailable("discovery: the answer is not JSON");
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) throw documentError(parsed.issues);
  const metadata = readDocument(parsed.output, issuer);
  const unused = findUnused(json, parsed.output);
  if (unused.length > 0) {
    const reason = `discovery: ignored, because malformed or not https: ${unused.join(", ")}`;
    upstream.log.warn("discovery_partly_ignored", { requestId: upstream.requestId, reason });
  }
  return metadata;
}

/** The error that names the faulty fields among those that Janus needs. */
function documentError(issues: readonly v.InferIssue<DocumentSchema>[]): JanusError {
  const nameOf = (issue: (typeof issues)[number]) => v.getDotPath(issue) ?? "the document";
  const malformed = new Set(issues.filter(({ message }) => message !== NOT_HTTPS).map(nameOf));
  if (malformed.size > 0)
    return providerMisconfigured(`discovery: missing or malformed: ${[...malformed].join(", ")}`);
  const fields = [...new Set(issues.map(nameOf))];
  if (fields.includes("authorization_endpoint"))
    return providerMisconfigured(
      "discovery: authorization_endpoint is not https: members' browsers are sent there, so the provider must name an https URL",
    );
  return providerMisconfigured(
    `discovery: ${fields.join(", ")} is not https: have the provider name https URLs, or set OIDC_ALLOW_HTTP_ENDPOINTS=true if the way there stays within a network that you trust`,
  );
}

/** The optional fields that are malformed. Some servers write null or "" for one that they leave out. */
function findUnused(json: unknown, document: Readonly<Record<string, unknown>>): readonly string[] {
  const given = v.parse(v.record(v.string(), v.unknown()), json);
  return Object.keys(document).filter((name) => {
    const isLeftOut = given[name] === undefined || given[name] === null || given[name] === "";
    return !isLeftOut && document[name] === undefined;
  });
}

function readDocument(document: v.InferOutput<DocumentSchema>, issuer: string): ProviderMetadata {
  // 4.3: exactly the configured issuer, or the document could be another server's.
  if (document.issuer !== issuer) {
    throw providerMisconfigured(
      `discovery: "issuer" is ${showIssuer(document.issuer)} and OIDC_ISSUER is ${showIssuer(issuer)}: they must be the same, character by character`,
    );
  }
  if (saidOf(document.response_types_supported)?.includes("code") === false) {
    throw providerMisconfigured("discovery: the provider does not support response_type=code");
  }
  if (saidOf(document.code_challenge_methods_supported)?.includes("S256") === false) {
    throw providerMisconfigured("discovery: the provider does not support PKCE with S256");
  }
  const algorithms = saidOf(document.id_token_signing_alg_values_supported);
  if (algorithms && !algorithms.some((algorithm) => SIGNING_ALGORITHMS.includes(algorithm))) {
    throw providerMisconfigured(
      `discovery: ID Tokens are signed with ${nameAlgorithms(algorithms)}, which Janus cannot verify: ${SIGNING_REMEDY}`,
    );
  }
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

/** An issuer in quotes, as it is written: it is public, and who compares two needs every character. */
function showIssuer(issuer: string): string {
  const url = URL.parse(issuer);
  const isPlain = url !== null && url.username + url.password + url.search + url.hash === "";
  return isPlain ? `"${printable(issuer, MAX_SHOWN)}"` : "not a plain URL";
}

/** An empty list counts as left out: a provider that supported nothing could not be used at all. */
function saidOf(values: readonly string[] | undefined): readonly string[] | undefined {
  return values?.length === 0 ? undefined : values;
}
