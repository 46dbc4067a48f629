/**
 * What an operator wants to know of the provider: all that its discovery document and its keys say, and every fault at once.
 * A sign-in needs none of this: it stops at the first fault.
 */
import type { Config } from "../config/load.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { isSigningAlgorithm } from "./algorithms.ts";
import type { Announced, DiscoveryDocument, DocumentFault } from "./document.ts";
import { fetchDocument, findDocumentFaults, parseDocument, readAnnounced, saidOf } from "./document.ts";
import { fetchKeys } from "./keys.ts";

/** What was found. */
export type ProviderExamination = {
  /** Why there is no document at all, or none that is an object. */
  readonly unread: JanusError | undefined;
  /** As the document has it; undefined if it names none. */
  readonly issuer: string | undefined;
  /** What keeps the endpoints from being used. */
  readonly endpoints: JanusError | undefined;
  readonly faults: readonly DocumentFault[];
  /** Each list is undefined where the document does not say. */
  readonly announced: {
    readonly challengeMethods: readonly string[] | undefined;
    readonly algorithms: readonly string[] | undefined;
    readonly scopes: readonly string[] | undefined;
    readonly claims: readonly string[] | undefined;
    /** Whether it announces back-channel logout. Back-Channel Logout 1.0, 2.1 */
    readonly tellsLogouts: boolean;
  };
  /** How many keys can verify a signature; the reason if the keys cannot be read; undefined if no address is known. */
  readonly signingKeys: number | JanusError | undefined;
};

const NOTHING = { issuer: undefined, endpoints: undefined, faults: [], signingKeys: undefined } as const;
const SAYS_NOTHING = {
  challengeMethods: undefined,
  algorithms: undefined,
  scopes: undefined,
  claims: undefined,
  tellsLogouts: false,
};

/** Asks for the document once and for the keys once. Never throws. */
export async function examineProvider(
  upstream: Upstream,
  config: Pick<Config["oidc"], "issuer" | "allowHttpEndpoints">,
): Promise<ProviderExamination> {
  try {
    const json = await fetchDocument(upstream, config.issuer);
    const announced = readAnnounced(json);
    // Parsing says why it is not an object.
    const document = attempt(() => parseDocument(json, config));
    if (announced === undefined || (document.error !== undefined && announced.issuer === undefined))
      return { ...NOTHING, unread: document.error, announced: SAYS_NOTHING };
    return {
      unread: undefined,
      issuer: announced.issuer,
      endpoints: document.error,
      faults: findDocumentFaults(announced, config.issuer),
      announced: describe(announced),
      signingKeys: await countSigningKeys(upstream, document.value),
    };
  } catch (error) {
    return { ...NOTHING, unread: asJanusError(error), announced: SAYS_NOTHING };
  }
}

const describe = (announced: Announced): ProviderExamination["announced"] => ({
  challengeMethods: saidOf(announced.code_challenge_methods_supported),
  algorithms: saidOf(announced.id_token_signing_alg_values_supported),
  scopes: saidOf(announced.scopes_supported),
  claims: saidOf(announced.claims_supported),
  tellsLogouts: announced.backchannel_logout_supported === true,
});

async function countSigningKeys(
  upstream: Upstream,
  document: DiscoveryDocument | undefined,
): Promise<number | JanusError | undefined> {
  if (document === undefined) return undefined;
  try {
    return (await fetchKeys(upstream, document.jwks_uri)).filter(isForSigning).length;
  } catch (error) {
    return asJanusError(error);
  }
}

/** A key that is not meant for something else. RFC 7517 4.1, 4.2 and 4.4 */
function isForSigning({ kty, use, alg }: Readonly<Record<string, unknown>>): boolean {
  const isPublic = kty === "RSA" || kty === "EC" || kty === "OKP";
  return isPublic && (use === undefined || use === "sig") && (alg === undefined || isSigningAlgorithm(alg));
}

function attempt<Value>(
  work: () => Value,
):
  | { readonly value: Value; readonly error: undefined }
  | { readonly value: undefined; readonly error: JanusError } {
  try {
    return { value: work(), error: undefined };
  } catch (error) {
    return { value: undefined, error: asJanusError(error) };
  }
}
