/**
 * What a discovery document says: how it is asked for, its form, and the faults that keep Janus from being a client of this
 * provider. `discovery.ts` keeps it, `endpoints.ts` says which addresses it may name. OpenID Connect Discovery 1.0, 3 and 4
 */
import * as v from "valibot";
import type { JanusError } from "../errors.ts";
import { providerMisconfigured, providerUnavailable } from "../errors.ts";
import { isOutage, unavailable } from "../oauth/outage.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { parseJson, send } from "../oauth/upstream.ts";
import { printable } from "../text/printable.ts";
import { nameAlgorithms, SIGNING_ALGORITHMS, SIGNING_REMEDY } from "./algorithms.ts";
import type { EndpointRules } from "./endpoints.ts";
import { createEndpointSchema, NOT_HTTPS } from "./endpoints.ts";

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
  claims_supported: optional(list),
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

/** A document of the right form. */
export type DiscoveryDocument = v.InferOutput<DocumentSchema>;

/** What a document announces, as far as it can be read without the rest. */
const announcedSchema = v.object({ issuer: optional(v.string()), ...OPTIONAL_LISTS });
/** The issuer and the lists of a document, whatever is wrong with the rest of it. */
export type Announced = v.InferOutput<typeof announcedSchema>;

/** A fault of what a document says, and the part that it is of. */
export type DocumentFault = {
  readonly part: "issuer" | "response_type" | "pkce" | "signing";
  readonly reason: string;
};

/** Asks for the document, which is JSON of any form. Throws provider_unavailable, provider_misconfigured. */
export async function fetchDocument(upstream: Upstream, issuer: string): Promise<unknown> {
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
  return json;
}

/** The document in the form that Janus needs. Throws provider_misconfigured. */
export function parseDocument(json: unknown, rules: EndpointRules): DiscoveryDocument {
  const parsed = v.safeParse(createDocumentSchema(rules), json);
  if (!parsed.success) throw documentError(parsed.issues);
  return parsed.output;
}

/** Reads what a document announces. Undefined if it is not an object. */
export function readAnnounced(json: unknown): Announced | undefined {
  const parsed = v.safeParse(announcedSchema, json);
  return parsed.success ? parsed.output : undefined;
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
export function findUnused(json: unknown, document: Readonly<Record<string, unknown>>): readonly string[] {
  const given = v.parse(v.record(v.string(), v.unknown()), json);
  return Object.keys(document).filter((name) => {
    const isLeftOut = given[name] === undefined || given[name] === null || given[name] === "";
    return !isLeftOut && document[name] === undefined;
  });
}

/** The faults of what the document says, the worst first: each of them keeps every member out. */
export function findDocumentFaults(document: Announced, issuer: string): readonly DocumentFault[] {
  const faults: DocumentFault[] = [];
  // 4.3: exactly the configured issuer, or the document could be another server's.
  if (document.issuer !== undefined && document.issuer !== issuer) {
    const reason = `discovery: "issuer" is ${showIssuer(document.issuer)} and OIDC_ISSUER is ${showIssuer(issuer)}: they must be the same, character by character`;
    faults.push({ part: "issuer", reason });
  }
  if (saidOf(document.response_types_supported)?.includes("code") === false) {
    const reason = "discovery: the provider does not support response_type=code";
    faults.push({ part: "response_type", reason });
  }
  if (saidOf(document.code_challenge_methods_supported)?.includes("S256") === false) {
    faults.push({ part: "pkce", reason: "discovery: the provider does not support PKCE with S256" });
  }
  const algorithms = saidOf(document.id_token_signing_alg_values_supported);
  if (algorithms && !algorithms.some((algorithm) => SIGNING_ALGORITHMS.includes(algorithm))) {
    const reason = `discovery: ID Tokens are signed with ${nameAlgorithms(algorithms)}, which Janus cannot verify: ${SIGNING_REMEDY}`;
    faults.push({ part: "signing", reason });
  }
  return faults;
}

/** An issuer in quotes, as it is written: it is public, and who compares two needs every character. */
function showIssuer(issuer: string): string {
  const url = URL.parse(issuer);
  const isPlain = url !== null && url.username + url.password + url.search + url.hash === "";
  return isPlain ? `"${printable(issuer, MAX_SHOWN)}"` : "not a plain URL";
}

/** An empty list counts as left out: a provider that supported nothing could not be used at all. */
export function saidOf(values: readonly string[] | undefined): readonly string[] | undefined {
  return values?.length === 0 ? undefined : values;
}
