/**
 * The sign-in of an administrator: at the provider alone, within the hour. It makes no link and no session of a member, and
 * whoever the rule does not let in leaves nothing behind. The refresh token is not asked for. If one comes nevertheless,
 * Janus forgets it: to revoke it could end the grant of the administrator's own link at some providers.
 */
import type { Deps } from "../../deps.ts";
import { flowFinished, idTokenRefused, notFound } from "../../errors.ts";
import type { Flow, FlowChange, Needs as FlowNeeds, FlowRecords } from "../../flow/record.ts";
import { acceptCallback, deriveSecret, deriveSession, makeRoom, startFlow } from "../../flow/record.ts";
import type { Cancelled, Departure, FlowRequest } from "../../flow/step.ts";
import { cancel, createStep } from "../../flow/step.ts";
import type { SignIn } from "../../oidc/client.ts";
import { keepClaims, keepSources, organisationName } from "../../rules/claims.ts";
import { scimSubjectOf } from "../../scim/facts.ts";
import type { BegunSession } from "../../session/secrets.ts";
import { describeError } from "../../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS, secondsAfter } from "../../time.ts";
import type { AdminFacts } from "./session.ts";
import { ADMIN_TTL_SECONDS, isAdmin, sealFacts } from "./session.ts";

type Needs = FlowNeeds & Pick<Deps, "config" | "queries" | "rules" | "oidc" | "log" | "instruments">;

/** An administrator has signed in. */
export type AdminSignedIn = {
  readonly outcome: "signed_in";
  readonly session: BegunSession;
  readonly flow: FlowChange;
};

/** The account may not use the page. */
export type NoAdmin = { readonly outcome: "not_admitted"; readonly flow: FlowChange };

/** Refuses the address as one that does not exist, where no rule says who may use the page. Throws not_found. */
export function requireAdminPage({ rules }: Pick<Needs, "rules">): void {
  if (rules.admin === undefined) throw notFound();
}

/** Leaves for the provider. Throws not_found, and as `oidc.authorizationUrl`. */
export async function startAdminSignIn(deps: Needs, records: FlowRecords): Promise<Departure> {
  requireAdminPage(deps);
  const flow = startFlow(deps, "admin");
  const location = await deps.oidc.authorizationUrl(
    flow.state,
    deriveSecret(flow, "nonce"),
    deriveSecret(flow, "code_verifier"),
    { maxAgeSeconds: ADMIN_TTL_SECONDS },
  );
  return { outcome: "departed", location, flow: { set: flow.record, forget: makeRoom(deps, records) } };
}

/** Back from the provider. Throws what the callback, the exchange and the ID Token throw; flow_finished for a replay. */
export const finishAdminSignIn = createStep(
  "admin",
  async (deps: Needs, { query, records }: FlowRequest): Promise<AdminSignedIn | NoAdmin | Cancelled> => {
    requireAdminPage(deps);
    const { flow, response } = acceptCallback(deps, ["admin"], query, records);
    await deps.oidc.checkIssuer(response.iss);
    const { result } = response;
    if ("error" in result) return cancel("provider", deps.oidc.upstream, result, flow);
    const signIn = await exchange(deps, flow, result.code);
    checkAge(deps, signIn);
    return admit(deps, flow, signIn);
  },
);

async function exchange(deps: Needs, flow: Flow, code: string): Promise<SignIn> {
  const [codeVerifier, nonce] = [deriveSecret(flow, "code_verifier"), deriveSecret(flow, "nonce")];
  const signIn = await deps.oidc.exchangeCode(code, codeVerifier, nonce, (unused) =>
    endAccess(deps, unused.accessToken),
  );
  void endAccess(deps, signIn.accessToken);
  return signIn;
}

/** Nobody waits for it: an access token that cannot be revoked ends by itself, and soon. */
async function endAccess({ oidc, log }: Needs, accessToken: string): Promise<void> {
  try {
    await oidc.revokeToken("access_token", accessToken);
  } catch (error) {
    log.warn("provider_grant_not_ended", describeError(error));
  }
}

/**
 * A provider that knows max_age says when the member signed in, and has them sign in again after an hour. One that does not
 * say it is believed: its claims are of now in any case. Core 3.1.2.1, 3.1.3.7 point 13
 */
function checkAge({ now }: Needs, { claims, idTokenClaims }: SignIn): void {
  const authTime = idTokenClaims.includes("auth_time") ? claims.auth_time : undefined;
  if (authTime === undefined || authTime === null) return;
  const oldest = secondsAfter(now(), -(ADMIN_TTL_SECONDS + CLOCK_TOLERANCE_SECONDS)).getTime() / 1_000;
  if (typeof authTime !== "number" || authTime < oldest)
    throw idTokenRefused("auth_time is over an hour ago, although max_age asked for a later sign-in");
}

async function admit(deps: Needs, flow: Flow, signIn: SignIn): Promise<AdminSignedIn | NoAdmin> {
  const { issuer, subject, sessionId } = signIn;
  const forget = { forget: [flow.record.name] };
  const facts = pickFacts(deps, signIn);
  if (!(await isAdmin(deps, signIn, facts))) return { outcome: "not_admitted", flow: forget };
  const secrets = deriveSession(flow);
  const now = deps.now();
  const expiresAt = secondsAfter(now, ADMIN_TTL_SECONDS);
  const stored = await deps.queries.insertAdminSession({
    sessionIdHash: secrets.sessionIdHash,
    issuer,
    subject,
    providerSessionId: sessionId ?? null,
    factsSealed: sealFacts(secrets, facts),
    expiresAt,
    now,
  });
  if (stored === undefined) throw flowFinished("the sign-in of the administrator was finished before");
  return { outcome: "signed_in", session: { secrets, expiresAt }, flow: forget };
}

/** Only what the rule of administrators reads, and a name. */
function pickFacts(deps: Needs, { claims, sources }: SignIn): AdminFacts {
  const { rules } = deps;
  const reads = { neededClaims: rules.admin?.claimsRead ?? [] };
  const read = rules.sources.filter(({ name }) => rules.admin?.sourcesRead.includes(name));
  return {
    name: organisationName(claims),
    scimSubject: scimSubjectOf(deps, claims),
    claims: keepClaims(reads, claims),
    sources: keepSources({ sources: read }, sources),
  };
}
