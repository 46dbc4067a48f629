/**
 * The sign-in of `janus doctor --login`. The operator signs in as a member does and sees what the provider says of them and
 * what the rules make of it. Nothing is stored or linked, and the tokens are revoked at once. A ticket of the command begins
 * it; a cookie carries it to the callback, with a leg of its own that leads to no link.
 */
import type { Deps } from "../../deps.ts";
import { flowExpired, flowFinished, notFound } from "../../errors.ts";
import type { Flow, FlowChange, Needs as FlowNeeds, FlowRecords } from "../../flow/record.ts";
import { acceptCallback, deriveSecret, makeRoom, startFlow } from "../../flow/record.ts";
import type { Cancelled, Departure, FlowRequest } from "../../flow/step.ts";
import { cancel, createStep } from "../../flow/step.ts";
import type { SignIn, UnusedTokens } from "../../oidc/client.ts";
import type { StoredClaims } from "../../rules/claims.ts";
import { keepClaims, keepSources } from "../../rules/claims.ts";
import type { Verdict } from "../../rules/evaluate.ts";
import { evaluateRules } from "../../rules/evaluate.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { readScimFacts, scimSubjectOf, withScim } from "../../scim/facts.ts";
import { describeError } from "../../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../time.ts";
import { openToken } from "./token.ts";

/** The path that a ticket opens. */
export const LOGIN_PATH = "/doctor";
/** How long a ticket can be used. */
export const TICKET_SECONDS = 600;

type Needs = FlowNeeds &
  Pick<Deps, "config" | "queries" | "rules" | "oidc" | "log" | "requestId" | "instruments">;

/** What became of the tokens: some providers have no revocation endpoint. */
export type TokensEnd = "revoked" | "not_revoked" | "no_revocation";

/** What a sign-in has shown. */
export type Examined = {
  readonly outcome: "examined";
  readonly rules: RuleSet;
  readonly verdict: Verdict;
  /** All of them, of the ID Token and of UserInfo, unlike those that are kept of a member. */
  readonly claims: StoredClaims;
  readonly idTokenClaims: readonly string[];
  readonly sources: SignIn["sources"];
  readonly hasRefreshToken: boolean;
  readonly scope: string | undefined;
  readonly tokensEnd: TokensEnd;
  readonly flow: FlowChange;
};

/** Leaves for the provider as a member does. Throws not_found, flow_expired, flow_finished, and as `oidc.authorizationUrl`. */
export async function startExamination(
  deps: Needs,
  ticket: string,
  records: FlowRecords,
): Promise<Departure> {
  const token = openToken(deps.config, "login", ticket);
  if (token === undefined) throw notFound();
  const ageSeconds = (deps.now().getTime() - token.issuedAt.getTime()) / 1_000;
  if (ageSeconds > TICKET_SECONDS || ageSeconds < -CLOCK_TOLERANCE_SECONDS)
    throw flowExpired("the ticket is too old: run janus doctor --login again");
  const flow = startFlow(deps, "doctor");
  const location = await deps.oidc.authorizationUrl(
    flow.state,
    deriveSecret(flow, "nonce"),
    deriveSecret(flow, "code_verifier"),
    { reduced: deps.oidc.leavesOutOfflineAccess() },
  );
  // Only now: a provider that is down does not use the ticket up.
  useUp(deps, token.nonce);
  return { outcome: "departed", location, flow: { set: flow.record, forget: makeRoom(deps, records) } };
}

/** Back from the provider. Throws what the callback, the exchange and the ID Token throw; flow_finished for a replay. */
export const finishExamination = createStep(
  "doctor",
  async (deps: Needs, { query, records }: FlowRequest): Promise<Examined | Cancelled> => {
    const { flow, response } = acceptCallback(deps, ["doctor"], query, records);
    await deps.oidc.checkIssuer(response.iss);
    const { result } = response;
    if ("error" in result) return cancel("provider", deps.oidc.upstream, result, flow);
    useUp(deps, flow.state);
    return examineSignIn(deps, flow, await exchange(deps, flow, result.code));
  },
);

async function exchange(deps: Needs, flow: Flow, code: string): Promise<SignIn> {
  let unused: UnusedTokens | undefined;
  try {
    return await deps.oidc.exchangeCode(
      code,
      deriveSecret(flow, "code_verifier"),
      deriveSecret(flow, "nonce"),
      (tokens) => {
        unused = tokens;
      },
      true,
    );
  } catch (error) {
    if (unused !== undefined) await endTokens(deps, unused);
    throw error;
  }
}

async function examineSignIn(deps: Needs, flow: Flow, signIn: SignIn): Promise<Examined> {
  const { claims, idTokenClaims, sources, refreshToken, scope, issuer, subject } = signIn;
  const facts = await readScimFacts(deps, signIn, scimSubjectOf(deps, claims));
  const verdict = evaluateRules(deps.rules, {
    claims: keepClaims(deps.rules, claims),
    sources: withScim(deps.rules, keepSources(deps.rules, sources), facts),
    issuer,
    subject,
    // Nobody has signed in at Discord.
    discord: { id: undefined, username: undefined },
    linkedAt: undefined,
    now: deps.now(),
  });
  return {
    outcome: "examined",
    rules: deps.rules,
    verdict,
    claims,
    idTokenClaims,
    sources,
    hasRefreshToken: refreshToken !== undefined,
    scope,
    tokensEnd: await endTokens(deps, signIn),
    flow: { forget: [flow.record.name] },
  };
}

/** Revokes both tokens. The page says if that did not work: nothing keeps them for another try. */
async function endTokens(
  { oidc, log }: Needs,
  { accessToken, refreshToken }: Pick<SignIn, "accessToken" | "refreshToken">,
): Promise<TokensEnd> {
  try {
    if (refreshToken !== undefined) {
      const ended = await oidc.revokeToken("refresh_token", refreshToken);
      if (ended !== "revoked") return ended === "unsupported" ? "no_revocation" : "not_revoked";
    }
    const ended = await oidc.revokeToken("access_token", accessToken);
    // An access token that cannot be revoked ends by itself, and soon.
    return ended === "revoked" || refreshToken !== undefined ? "revoked" : "no_revocation";
  } catch (error) {
    log.warn("provider_grant_not_ended", describeError(error));
    return "not_revoked";
  }
}

/** More than anybody runs the doctor within ten minutes. */
const MAX_REMEMBERED = 1_000;
const usedUp = new WeakMap<Deps["config"], Set<string>>();

/**
 * Lets a ticket or a state be used once in this process. Another process does not know of it, but there a state meets a code
 * that was spent, and a ticket only begins another sign-in. Throws flow_finished.
 */
function useUp({ config }: Needs, name: string): void {
  const used = usedUp.get(config) ?? new Set<string>();
  usedUp.set(config, used);
  if (used.has(name)) throw flowFinished("the doctor's ticket or callback was used before");
  const [oldest] = used.size < MAX_REMEMBERED ? [] : used;
  if (oldest !== undefined) used.delete(oldest);
  used.add(name);
}
