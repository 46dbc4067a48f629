/**
 * The second half of the link flow: back from the provider, the ID Token is verified, the link stored and its metadata
 * pushed. If one of the accounts has another link already, nothing changes until the member confirms a move. If the rules
 * do not admit the member, nothing changes at all.
 */
import type { Deps } from "../deps.ts";
import { banned, flowFinished } from "../errors.ts";
import { departReduced } from "../flow/provider_departure.ts";
import type { Flow, FlowChange, Needs as FlowNeeds } from "../flow/record.ts";
import {
  acceptCallback,
  continueFlow,
  deriveSecret,
  deriveSession,
  FLOW_TTL_SECONDS,
  hashFlowId,
  isReduced,
  PROVIDER_LEGS,
  resultNameOf,
} from "../flow/record.ts";
import { createSharing } from "../flow/sharing.ts";
import type { Cancelled, Departure, FlowRequest } from "../flow/step.ts";
import { cancel, createStep } from "../flow/step.ts";
import { sealOrganisationTokens } from "../grants/sealing.ts";
import { keepProviderTokens, keepUnlinkedTokens } from "../grants/stray_tokens.ts";
import type { SignIn } from "../oidc/client.ts";
import type { StoredClaims } from "../rules/claims.ts";
import { keepSources, organisationName, storeClaims } from "../rules/claims.ts";
import { readScimFacts, scimSubjectOf, withScim } from "../scim/facts.ts";
import type { Browser } from "../session/secrets.ts";
import { newSession } from "../session/secrets.ts";
import { firstCheckAt } from "../sync/check.ts";
import { MEMBERSHIP_LIVES } from "../sync/decision.ts";
import { readAdmission } from "../sync/member_rules.ts";
import type { DuePush, Needs as PushNeeds } from "../sync/push.ts";
import { PUSH_LEASE_SECONDS } from "../sync/push.ts";
import { secondsAfter } from "../time.ts";
import type { NotAdmitted } from "./admission.ts";
import { judgeApplicant, notAdmitted, tellUnknown } from "./admission.ts";
import type { Linked, LinkedAccounts } from "./linked.ts";
import { begunSession, linkedAccounts, pushNow, retryOnConflict } from "./linked.ts";

type Needs = FlowNeeds & PushNeeds & Pick<Deps, "oidc" | "requestId" | "instruments">;

/** One of the accounts is linked to a third: nothing changes until the member confirms with `state`. */
export type Conflict = LinkedAccounts & {
  readonly outcome: "conflict";
  readonly discordUserId: string;
  /** The Discord account that the organisation account is linked to. */
  readonly heldByDiscord: LinkedAccounts["discord"] | null;
  readonly heldByOrganisation: HeldByOrganisation;
  readonly state: string;
  /** What the page of the question is called. */
  readonly resultName: string;
  readonly flow: FlowChange;
};

/** The organisation account that the Discord account is linked to: none, or one with or without a name to show. */
export type HeldByOrganisation =
  | { readonly kind: "none" }
  | { readonly kind: "unnamed" }
  | { readonly kind: "named"; readonly name: string };

/** How a leg ended whose code was exchanged. */
type Finished = Linked | Conflict | NotAdmitted;

const shareProviderLeg = createSharing<Finished>();

/** Step 3. Throws what the callback, the exchange and the ID Token throw; banned; flow_finished for a replay. */
export const finishProviderLeg = createStep(
  "provider",
  async (
    deps: Needs,
    { query, records, browser }: FlowRequest,
  ): Promise<Finished | Departure | Cancelled> => {
    const { flow, response } = acceptCallback(deps, PROVIDER_LEGS, query, records);
    await deps.oidc.checkIssuer(response.iss);
    const { result } = response;
    if ("error" in result) {
      const back = result.error === "invalid_scope" ? await departReduced(deps, flow) : undefined;
      return back ?? cancel("provider", deps.oidc.upstream, result, flow);
    }
    const { code } = result;
    return shareProviderLeg(`${flow.record.value} ${code}`, async () => {
      const signIn = await deps.oidc.exchangeCode(
        code,
        deriveSecret(flow, "code_verifier"),
        deriveSecret(flow, "nonce"),
        (unused) => keepProviderTokens(deps, unused),
      );
      if (isReduced(flow.leg)) deps.oidc.leaveOutOfflineAccess(flow.startedAt);
      return storeLink(deps, browser, flow, signIn);
    });
  },
);

/** Stores what the provider leg brought, and pushes if that made a link. */
async function storeLink(deps: Needs, browser: Browser, flow: Flow, signIn: SignIn): Promise<Finished> {
  const { issuer, subject } = signIn;
  const scimSubject = scimSubjectOf(deps, signIn.claims);
  const move = continueFlow(deps, flow, "move");
  const now = deps.now();
  const flowIdHash = hashFlowId(flow);
  const grant = { ...sealOrganisationTokens(deps, signIn), expiresAt: signIn.expiresAt ?? null };
  const judge = async () => {
    const claims = storeClaims(deps.rules, signIn.claims);
    const applicant = { issuer, subject, claims, sources: await readSources(deps, signIn, scimSubject) };
    return { applicant, admitted: await judgeApplicant(deps, flowIdHash, applicant, now) };
  };
  const { applicant, admitted } = await judge().catch((error: unknown) => {
    keepUnlinkedTokens(deps, { issuer, subject, ...grant });
    throw error;
  });
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const stored = await insertOrKeep(deps, {
    flowIdHash,
    ...applicant,
    isAdmitted: readAdmission(admitted) === "admitted",
    ...grant,
    pushLeasedUntil: leasedUntil,
    moveIdHash: hashFlowId(move),
    moveExpiresAt: secondsAfter(now, FLOW_TTL_SECONDS),
    ...newSession(deriveSession(flow), browser, now),
    requestId: deps.requestId,
    checkDueAt: firstCheckAt(deps, now),
    scimSubject,
    scimAttribute: deps.config.scim?.attribute ?? null,
    providerSessionId: signIn.sessionId ?? null,
    preferredUsername: usernameOf(signIn),
    now,
  });
  const { discordUserId, outcome } = stored;
  if (outcome === "banned") throw banned();
  if (outcome === "not_admitted" || outcome === "relinked") tellUnknown(deps, admitted, discordUserId);
  if (outcome === "not_admitted") return notAdmitted(flow, admitted, discordUserId);
  if (outcome === "conflict_met") return askMove(flow, move, stored, applicant.claims);
  return pushStored(deps, flow, {
    ...stored,
    ...applicant,
    outcome,
    ...MEMBERSHIP_LIVES,
    goneAt: stored.goneAt,
    pushFailures: 0,
    leasedUntil,
  });
}

/** By what an earlier service may have known the member. The claims are those of the ID Token and of UserInfo. */
function usernameOf({ claims }: SignIn): string | null {
  const { preferred_username: username } = claims;
  return typeof username === "string" && username !== "" ? username : null;
}

/** Pushes the link that was stored. */
async function pushStored(
  deps: Needs,
  flow: Flow,
  link: DuePush & Pick<Stored, "globalName" | "sessionExpiresAt"> & Pick<Linked, "outcome">,
): Promise<Linked> {
  const push = await pushNow(deps, link);
  return {
    ...linkedAccounts(link, link.claims),
    ...push,
    outcome: link.outcome,
    discordUserId: link.discordUserId,
    earlierRoleMayStay: false,
    session: begunSession(flow, link.sessionExpiresAt),
    resultName: resultNameOf(flow),
    flow: { forget: [flow.record.name] },
  };
}

/** The answers of the sources, with what a SCIM client has told of the member. */
async function readSources(deps: Needs, signIn: SignIn, scimSubject: string | null): Promise<StoredClaims> {
  const facts = deps.rules.readsScim ? await readScimFacts(deps, signIn, scimSubject) : undefined;
  return withScim(deps.rules, keepAnswers(deps, signIn), facts);
}

/** The answers of the sources that the database can store as they are. Another one counts as none, and the log is told. */
function keepAnswers({ rules, log }: Needs, { sources }: SignIn): StoredClaims {
  const kept = keepSources(rules, sources);
  for (const name of Object.keys(sources))
    if (!Object.hasOwn(kept, name))
      log.warn("source_not_read", {
        reason: `source_${name}: the answer cannot be stored: it is nested too deeply, or has a text that is malformed`,
      });
  return kept;
}

/** The question whether to move the link. */
function askMove(flow: Flow, move: Flow, stored: Stored, claims: StoredClaims): Conflict {
  const { state, record } = move;
  return {
    ...linkedAccounts(stored, claims),
    ...heldAccounts(stored),
    outcome: "conflict",
    discordUserId: stored.discordUserId,
    state,
    resultName: resultNameOf(move),
    flow: { set: record, forget: [flow.record.name] },
  };
}

type Stored = NonNullable<Awaited<ReturnType<Needs["queries"]["finishProviderLeg"]>>>;

/** Stores the link. If that fails, or if nothing may be stored, the provider's tokens are kept, to be revoked. */
async function insertOrKeep(
  deps: Needs,
  values: Parameters<Needs["queries"]["finishProviderLeg"]>[0],
): Promise<Stored> {
  try {
    const stored = await retryOnConflict(() => deps.queries.finishProviderLeg(values));
    if (stored?.outcome === "not_admitted" || stored?.outcome === "banned") keepUnlinkedTokens(deps, values);
    if (stored !== undefined) return stored;
  } catch (error) {
    keepUnlinkedTokens(deps, values);
    throw error;
  }
  keepUnlinkedTokens(deps, values);
  throw flowFinished("the provider leg was finished before");
}

function heldAccounts(row: Stored): Pick<Conflict, "heldByDiscord" | "heldByOrganisation"> {
  const { heldByUsername: username, heldByGlobalName: globalName } = row;
  return {
    heldByDiscord: username === null ? null : { username, globalName },
    heldByOrganisation: row.isHeldByOrganisation
      ? describeHolder(row.heldOrganisationNames ?? {})
      : { kind: "none" },
  };
}

function describeHolder(names: StoredClaims): HeldByOrganisation {
  const name = organisationName(names);
  return name === undefined ? { kind: "unnamed" } : { kind: "named", name };
}
