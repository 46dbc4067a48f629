/**
 * The checks at the provider: four requests at most, two of them for the discovery document, since the question about the
 * client loads it in its own way. None makes a token or changes anything.
 */
import { addressesOf } from "../../config/addresses.ts";
import type { Config } from "../../config/load.ts";
import { createBudget } from "../../oauth/budget.ts";
import { createOidc } from "../../oidc/client.ts";
import type { ProviderExamination } from "../../oidc/examination.ts";
import { examineProvider } from "../../oidc/examination.ts";
import { describeCause } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import type { World } from "../../wiring.ts";
import { askProvider } from "../setup_questions.ts";
import type { Check, CheckId } from "./check.ts";
import { CHECK_GROUPS, fault, ok, sayReason, unknown, warning } from "./check.ts";
import { checkOfFinding } from "./finding.ts";
import type { Settings } from "./settings.ts";

type Part = Pick<Config, "publicUrl" | "oidc">;

const BUDGET_MS = 9_000;
/** What Janus asks for if OIDC_SCOPES is unset. */
const DEFAULT_SCOPES = ["openid", "profile"];
const MAX_NAMES = 400;

/** Examines the provider. Never throws. */
export async function checkProvider(
  { publicUrl, oidc: config }: Part,
  rules: Settings["rules"],
  world: World,
): Promise<readonly Check[]> {
  const read = "faults" in rules ? { neededClaims: [], sources: [] } : rules;
  const bind = createOidc({ ...world, config, publicUrl, rules: read });
  const client = () => bind({ budget: createBudget(world.budgetMs ?? BUDGET_MS) });
  const found = await examineProvider(client().upstream, config);
  if (found.unread !== undefined) return unread(found.unread);
  return [
    ok("provider_discovery", "The discovery document can be read."),
    checkIssuer(found, config.issuer),
    checkEndpoints(found),
    checkSigning(found),
    checkPkce(found),
    checkScopes(found, config.scopes ?? DEFAULT_SCOPES),
    checkLogout(found, publicUrl),
    checkClaims(found, rules),
    await checkClient(found, client),
  ];
}

/** What the system says of a name that does not exist. A resolver that fails says EAI_AGAIN, which may pass. */
const RESOLUTION = /^ENOTFOUND$/;

function unread(error: NonNullable<ProviderExamination["unread"]>): readonly Check[] {
  const isNameless = RESOLUTION.test(describeCause(error.cause).causeCode ?? "");
  const isFault = error.code === "provider_misconfigured" || isNameless;
  const detail = isNameless ? "The name in OIDC_ISSUER does not resolve (DNS)." : sayReason(error);
  const remedy =
    "Compare OIDC_ISSUER with the issuer that the provider shows for this client: docs/providers.md.";
  const rest = CHECK_GROUPS.provider.filter((id) => id !== "provider_discovery" && id !== "provider_clock");
  return [
    isFault
      ? fault("provider_discovery", detail, remedy)
      : unknown(
          "provider_discovery",
          detail,
          "See that the provider runs, and that this machine reaches it.",
        ),
    ...rest.map((id) =>
      unknown(id, "The discovery document was not read.", "Mend provider_discovery first."),
    ),
  ];
}

const faultOf = ({ faults }: ProviderExamination, part: "issuer" | "response_type" | "pkce" | "signing") =>
  faults.find((one) => one.part === part)?.reason;

function checkIssuer(found: ProviderExamination, issuer: string): Check {
  const id = "provider_issuer";
  const reason = faultOf(found, "issuer");
  if (reason !== undefined) return fault(id, `${reason}.`, describeIssuerRemedy(found.issuer, issuer));
  if (found.issuer === undefined)
    return unknown(id, "The document names no issuer.", "Mend provider_endpoints first.");
  return ok(id, "The issuer is OIDC_ISSUER, character by character.");
}

/** Most often it is the slash at the end. */
function describeIssuerRemedy(theirs: string | undefined, ours: string): string {
  if (theirs === `${ours}/`) return "Add the slash at the end of OIDC_ISSUER.";
  if (`${theirs}/` === ours) return "Remove the slash at the end of OIDC_ISSUER.";
  const at = [...ours].findIndex((char, index) => char !== theirs?.[index]);
  const place = at < 0 ? ours.length + 1 : at + 1;
  return `Copy the issuer from the provider to OIDC_ISSUER: they differ from character ${place} on.`;
}

function checkEndpoints(found: ProviderExamination): Check {
  const id = "provider_endpoints";
  const reason = faultOf(found, "response_type");
  if (found.endpoints === undefined && reason === undefined)
    return ok(id, "Every endpoint that Janus uses is named, and may be used.");
  const detail = found.endpoints === undefined ? `${reason}.` : sayReason(found.endpoints);
  return fault(
    id,
    detail,
    "Correct the provider, so that its discovery document names usable https endpoints.",
  );
}

function checkSigning({ signingKeys, ...found }: ProviderExamination): Check {
  const id = "provider_signing";
  const remedy =
    "Choose a signing key of type RSA, EC or Ed25519 for this client, and no encryption: docs/providers.md.";
  const reason = faultOf({ ...found, signingKeys }, "signing");
  if (reason !== undefined) return fault(id, `${reason}.`, remedy);
  if (signingKeys === undefined)
    return unknown(id, "No address of the keys is known.", "Mend provider_endpoints first.");
  if (typeof signingKeys !== "number")
    return signingKeys.code === "provider_misconfigured"
      ? fault(id, sayReason(signingKeys), remedy)
      : unknown(id, sayReason(signingKeys), "Run the doctor again later.");
  if (signingKeys === 0) return fault(id, "The provider shows no key that can verify an ID Token.", remedy);
  return ok(id, `${signingKeys === 1 ? "1 key" : `${signingKeys} keys`} can verify ID Tokens.`);
}

function checkPkce(found: ProviderExamination): Check {
  const id = "provider_pkce";
  const reason = faultOf(found, "pkce");
  if (reason !== undefined) return fault(id, `${reason}.`, "Allow PKCE with S256 for this client.");
  if (found.announced.challengeMethods !== undefined) return ok(id, "PKCE with S256 is announced.");
  // Entra and others take it without a word, so nothing is wrong.
  return ok(id, "The provider does not say which PKCE methods it takes. Janus sends S256 in any case.");
}

function checkScopes({ announced: { scopes } }: ProviderExamination, wanted: readonly string[]): Check {
  const id = "provider_scopes";
  if (scopes === undefined) return ok(id, "The provider does not list its scopes, which is allowed.");
  const missing = wanted.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return ok(id, `The provider announces ${wanted.join(", ")}.`);
  return warning(
    id,
    `The provider does not announce ${printable(missing.join(", "), MAX_NAMES)}.`,
    "Allow these scopes for the client, or leave them out of OIDC_SCOPES. Some providers take scopes that they do not list.",
  );
}

function checkLogout({ announced: { tellsLogouts } }: ProviderExamination, publicUrl: string): Check {
  const id = "provider_logout";
  if (!tellsLogouts) return ok(id, "The provider does not announce back-channel logout. Janus does without.");
  const { backChannelLogout } = addressesOf(publicUrl);
  return ok(id, `The provider can tell Janus of logouts: register ${backChannelLogout} for this client.`);
}

function checkClaims({ announced: { claims } }: ProviderExamination, rules: Settings["rules"]): Check {
  const id = "provider_claims";
  if ("faults" in rules) return unknown(id, "The rules have faults.", "Mend the rules first.");
  const read = rules.claimsRead;
  if (claims === undefined)
    return ok(
      id,
      "The provider does not list its claims, which is allowed: janus doctor --login shows them.",
    );
  const missing = read.filter((claim) => !claims.includes(claim));
  if (missing.length === 0)
    return ok(
      id,
      read.length === 0 ? "The rules read no claim." : `The provider announces ${read.join(", ")}.`,
    );
  return warning(
    id,
    `The provider does not announce ${printable(missing.join(", "), MAX_NAMES)}, which the rules read.`,
    "Sign in with janus doctor --login to see the real claims: many providers do not list all of them.",
  );
}

async function checkClient(
  found: ProviderExamination,
  client: () => Parameters<typeof askProvider>[0]["oidc"],
): Promise<Check> {
  const id: CheckId = "provider_client";
  // The question loads the document again, and would end at the same fault.
  if (found.endpoints !== undefined || found.faults.length > 0)
    return unknown(
      id,
      "Janus does not ask a provider whose document has faults.",
      "Mend the other checks first.",
    );
  return checkOfFinding(id, "The provider", await askProvider({ oidc: client() }));
}
