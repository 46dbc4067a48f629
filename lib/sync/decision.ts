/**
 * What Discord is to be told of a link: by the rules, by the end of the grant at the provider, and less than that while
 * losses are held. It sends nothing.
 */
import type { Config } from "../config/load.ts";
import type { WorkDeps } from "../deps.ts";
import type { GrantEndCause } from "../grants/refresh_failure.ts";
import type { Verdict } from "../rules/evaluate.ts";
import { describeChanges, findLosses } from "../rules/losses.ts";
import type { Pushed, RoleConnection } from "../rules/role_connection.ts";
import { buildRoleConnection, NOTHING_KNOWN, pushedValue } from "../rules/role_connection.ts";
import { secondsAfter } from "../time.ts";
import type { Admission, LinkedMember, PushedBefore, RuleDeps } from "./member_rules.ts";
import { evaluateLink, pushedOf, readAdmission } from "./member_rules.ts";

/** What deciding works with. */
export type DecisionDeps = RuleDeps & Pick<WorkDeps, "config">;

/**
 * Why a role connection is cleared: the rules refuse the member, the provider has ended the grant, or the organisation says
 * that the membership has ended.
 */
export type ClearCause = "not_admitted" | "grant_ended" | "membership_ended";

/**
 * Why a refresh token at the provider is dead. `logged_out`: the provider has ended it with the member's session there,
 * which says as little of the membership as an answer that was lost.
 */
export type ProviderEndCause = GrantEndCause | "logged_out";

/** A link, as far as deciding reads it. */
export type DecidedLink = LinkedMember &
  PushedBefore & {
    readonly clearCause: ClearCause | null;
    /** Since when a definite word of the organisation says that the membership has ended; null if none does. */
    readonly goneAt: Date | null;
    readonly organisationEndedAt: Date | null;
    readonly organisationEndCause: ProviderEndCause | null;
  };

/** What a sign-in shows: the membership and both grants live, and what is known is the provider's word. */
export const MEMBERSHIP_LIVES = {
  importedAt: null,
  goneAt: null,
  organisationEndedAt: null,
  organisationEndCause: null,
  tokenRefusedAt: null,
} as const;

/** What Discord has been told of a member: values, or that nothing is known, or nothing because they are not admitted. */
export type Told = "values" | "nothing_known" | "cleared";

/** What Discord is to be told. */
export type Decision =
  | {
      readonly tells: "values" | "nothing_known";
      readonly roleConnection: RoleConnection;
      /** The keys whose values the member would lose. */
      readonly losses: readonly string[];
    }
  | { readonly tells: "cleared"; readonly cause: ClearCause; readonly isLoss: boolean }
  /**
   * Discord is to keep what it has: it was cleared, or an earlier service has told it, and nobody can say whether that is
   * still right.
   */
  | { readonly tells: "nothing" };

const DAY_SECONDS = 86_400;
/** Ends of a grant that say nothing of the membership. */
const SAYS_NOTHING: readonly ProviderEndCause[] = ["unanswered", "logged_out"];

/** Decides by the claims that the link has. Never throws. */
export function decide(deps: DecisionDeps, link: DecidedLink): Decision {
  const verdict = evaluateLink(deps, link);
  const admission = readAdmission(verdict.admitted);
  const cause = findClearCause(deps, link, admission);
  if (cause !== undefined) return { tells: "cleared", cause, isLoss: hasSomething(link) };
  if (admission === "unknown" && link.clearedAt !== null) return { tells: "nothing" };
  if (isLeftToEarlier(link) && !isWhole(verdict)) return { tells: "nothing" };
  const roleConnection = buildRoleConnection(deps.config.platformName, verdict, pushedOf(link));
  const isKnown = !Object.hasOwn(roleConnection.metadata, NOTHING_KNOWN.key);
  const records = deps.rules.records.map(({ record }) => record);
  return {
    tells: isKnown ? "values" : "nothing_known",
    roleConnection,
    losses: findLosses(records, metadataOf(link), roleConnection.metadata),
  };
}

/** Why the role connection is to be cleared; undefined if it is not. The most definite word comes first. */
function findClearCause(deps: DecisionDeps, link: DecidedLink, admission: Admission): ClearCause | undefined {
  if (link.goneAt !== null) return "membership_ended";
  if (isGraceOver(deps, link)) return "grant_ended";
  return admission === "refused" ? "not_admitted" : undefined;
}

/** What says how long the grace is. */
export type GraceNeeds = { readonly config: { readonly sync: Pick<Config["sync"], "graceDays"> } };

/**
 * When the grace of a link ends, or ended; null if it has none. The provider has ended the grant, and said so itself: a
 * token that Janus may have spent says nothing of the member.
 */
export function graceEndOf(
  { config }: GraceNeeds,
  {
    organisationEndedAt,
    organisationEndCause,
  }: Pick<DecidedLink, "organisationEndedAt" | "organisationEndCause">,
): Date | null {
  if (organisationEndedAt === null || organisationEndCause === null) return null;
  if (SAYS_NOTHING.includes(organisationEndCause)) return null;
  return secondsAfter(organisationEndedAt, config.sync.graceDays * DAY_SECONDS);
}

function isGraceOver(deps: DecisionDeps, link: DecidedLink): boolean {
  const end = graceEndOf(deps, link);
  return end !== null && end <= deps.now();
}

/** Whether Discord has a value of a member. What an earlier service has told it counts as one. */
const hasSomething = (link: DecidedLink): boolean =>
  isLeftToEarlier(link) || Object.keys(metadataOf(link)).some((key) => key !== NOTHING_KNOWN.key);

/** Whether Discord still has what the service told it from which the link was imported. A push replaces all of it. */
const isLeftToEarlier = ({ importedAt, pushedMetadata, clearedAt }: DecidedLink): boolean =>
  importedAt !== null && pushedMetadata === null && clearedAt === null;

/** Whether the rules know all that Discord is to be told. */
const isWhole = ({ admitted, records }: Verdict): boolean =>
  admitted.outcome === "value" && records.every(({ outcome }) => outcome.outcome === "value");

const metadataOf = ({ pushedMetadata, clearedAt }: PushedBefore): Pushed["metadata"] =>
  clearedAt === null ? (pushedMetadata ?? {}) : {};

/** Whether a decision takes something from the member. */
export function isLoss(decision: Decision): boolean {
  if (decision.tells === "nothing") return false;
  return decision.tells === "cleared" ? decision.isLoss : decision.losses.length > 0;
}

/** The decision without its losses: what the member would lose stays as it was pushed. */
export function holdLosses(decision: Decision, link: PushedBefore): Decision {
  if (!isLoss(decision)) return decision;
  if (decision.tells === "nothing" || decision.tells === "cleared") return { tells: "nothing" };
  const before = metadataOf(link);
  const { [NOTHING_KNOWN.key]: _nothing, ...after } = decision.roleConnection.metadata;
  const kept = decision.losses.flatMap((key) => {
    const value = before[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const roleConnection = {
    ...decision.roleConnection,
    metadata: { ...after, ...Object.fromEntries(kept) },
  };
  return { tells: "values", roleConnection, losses: [] };
}

/** Whether Discord was told this before, as far as Janus knows. */
export function isTold(decision: Decision, link: DecidedLink): boolean {
  if (decision.tells === "nothing") return true;
  if (decision.tells === "cleared") return link.clearedAt !== null;
  const { metadata, platform_username: username = null } = decision.roleConnection;
  if (link.pushedMetadata === null || link.clearedAt !== null) return false;
  return (
    username === link.pushedPlatformUsername &&
    Object.keys(describeChanges(link.pushedMetadata, metadata)).length === 0
  );
}

/** Whether Discord has what it was told. It may keep older keys besides; of a member who was cleared it must have none. */
export function isAtDiscord(has: Pushed["metadata"], told: Pushed["metadata"]): boolean {
  const keys = Object.keys(told);
  return keys.length === 0
    ? Object.keys(has).length === 0
    : keys.every((key) => pushedValue(has, key) === told[key]);
}

/** What a decision changes at Discord, for the trail. */
export function changesOf(decision: Decision, link: PushedBefore) {
  const after =
    decision.tells === "values" || decision.tells === "nothing_known" ? decision.roleConnection.metadata : {};
  return { values: describeChanges(metadataOf(link), after) };
}
