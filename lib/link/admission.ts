/**
 * Whether the rules let a member link, asked before anything is stored. A refusal changes nothing: no link, no question
 * about a move, no claim is stored. A link that exists is left to its next push.
 */
import type { Deps } from "../deps.ts";
import type { Flow, FlowChange } from "../flow/record.ts";
import { resultNameOf } from "../flow/record.ts";
import { askedOf } from "../rules/claims.ts";
import type { Facts, Outcome } from "../rules/evaluate.ts";
import { evaluateAdmission } from "../rules/evaluate.ts";
import type { Admission, LinkedMember, RuleDeps } from "../sync/member_rules.ts";
import { readAdmission } from "../sync/member_rules.ts";

type Needs = RuleDeps & Pick<Deps, "queries" | "log">;

/** The member is not admitted, or the claims do not say: nothing was linked. */
export type NotAdmitted = {
  readonly outcome: "not_admitted";
  readonly why: Exclude<Admission, "admitted">;
  readonly discordUserId: string;
  /** What its page is called. */
  readonly resultName: string;
  readonly flow: FlowChange;
};

/** The Discord account, where no rule reads it. */
const UNREAD = { id: undefined, username: undefined };

/** What the provider has said of a member. */
type Applicant = Pick<LinkedMember, "issuer" | "subject" | "claims" | "sources">;

/**
 * Judges a member who comes back from the provider. Only a rule that reads the Discord account or the link costs a
 * statement. A flow that exists no longer is left to the statement that takes it.
 */
export async function judgeApplicant(
  deps: Needs,
  flowIdHash: string,
  applicant: Applicant,
  now: Date,
): Promise<Outcome<boolean>> {
  const { issuer, subject } = applicant;
  if (deps.rules.admit?.when.readsAccount !== true)
    return judge(deps, { ...applicant, discord: UNREAD, linkedAt: undefined, now });
  const flow = await deps.queries.findFlow({ flowIdHash, issuer, subject });
  const discord = { id: flow?.discordUserId, username: flow?.username };
  return judge(deps, { ...applicant, discord, linkedAt: flow?.linkedAt ?? now, now });
}

/** Judges a member who confirms a move: a new link. */
export function judgeMover(
  deps: Needs,
  member: Omit<LinkedMember, "linkedAt" | "importedAt">,
  now: Date,
): Outcome<boolean> {
  const discord = { id: member.discordUserId, username: member.username };
  return judge(deps, { ...member, discord, linkedAt: now, now });
}

function judge(deps: Needs, facts: Facts): Outcome<boolean> {
  const admitted = evaluateAdmission(deps.rules, { ...facts, claimsAsked: askedOf(facts.claims) });
  deps.ruleFaults.tell({ admitted });
  return admitted;
}

/** The result for a member who is not admitted. The flow is over. */
export function notAdmitted(flow: Flow, admitted: Outcome<boolean>, discordUserId: string): NotAdmitted {
  return {
    outcome: "not_admitted",
    why: readAdmission(admitted) === "refused" ? "refused" : "unknown",
    discordUserId,
    resultName: resultNameOf(flow),
    flow: { forget: [flow.record.name] },
  };
}

/** Tells the operator why nobody can say whether a member is admitted. Of a rule in error the log knows already. */
export function tellUnknown({ log }: Needs, admitted: Outcome<boolean>, discordUserId: string): void {
  if (admitted.outcome !== "unknown") return;
  log.warn("admission_unknown", { discordUserId, reason: `admit: ${admitted.missing} is missing` });
}
