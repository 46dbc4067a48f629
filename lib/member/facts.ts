/** The facts of a member's link, as the member's page and the API show them. */
import type { WorkDeps } from "../deps.ts";
import { organisationName } from "../rules/claims.ts";
import type { Outcome } from "../rules/evaluate.ts";
import type { MetadataRecord } from "../rules/records.ts";
import { pushedValue } from "../rules/role_connection.ts";
import type { SessionWithLink } from "../session/guard.ts";
import type { ClearCause, DecisionDeps } from "../sync/decision.ts";
import type { Admission } from "../sync/member_rules.ts";
import { evaluateLink, readAdmission } from "../sync/member_rules.ts";
import type { SyncState } from "./sync_state.ts";
import { readNextCheck, readSyncState } from "./sync_state.ts";

/** A metadata record of one member. */
export type RecordFacts = {
  readonly record: MetadataRecord;
  /** What Discord last took; null if it has no value. */
  readonly value: string | null;
  /** What the rules say now, as it would be pushed. */
  readonly outcome: Outcome<string>;
};

/** A member's link as they see it. */
export type LinkFacts = {
  readonly organisationName: string | null;
  readonly linkedAt: Date;
  /** What Discord last took; null before the first push. */
  readonly pushedMetadata: Readonly<Record<string, string>> | null;
  readonly pushedAt: Date | null;
  /** When Janus tells Discord next by itself; null when nothing is due. */
  readonly nextPushAt: Date | null;
  readonly pushFailures: number;
  /** In the order of the rules. */
  readonly records: readonly RecordFacts[];
  /** Whether the rules let the member link, by the claims that are stored. */
  readonly admission: Admission;
  /** Since when Discord has nothing of the member, because Janus cleared it; null otherwise. */
  readonly clearedAt: Date | null;
  /** Why it was cleared. */
  readonly clearCause: ClearCause | null;
  /** When Discord was last told that the member loses something; null if never. */
  readonly lostAt: Date | null;
  /** When the provider last said what it says of the member. */
  readonly claimsSeenAt: Date;
  /** When it is asked next; null if nothing can read the claims again. */
  readonly nextCheckAt: Date | null;
  readonly checkFailures: number;
  readonly sync: SyncState;
};

/** Why the role is or is not given, as far as Janus can know: Discord gives it when the member clicks Link there. */
export type RoleStatus =
  | "not_linked"
  | "not_admitted"
  | "grant_ended"
  | "membership_ended"
  | "disconnected"
  | "discord_ended"
  | "deauthorized"
  | "discord_not_told"
  | "discord_told";

/** What names a linked member at the organisation; undefined without a link. The name is null if no claim gives one. */
export async function findLinkedName(
  { queries }: Pick<WorkDeps, "queries">,
  { discordUserId }: Pick<SessionWithLink, "discordUserId">,
): Promise<{ readonly organisationName: string | null } | undefined> {
  const found = await queries.findNames({ discordUserId });
  return found && { organisationName: organisationName(found.names) ?? null };
}

/** The member's link, with what the rules say of it; null without a link. */
export function readLink(deps: DecisionDeps, session: SessionWithLink): LinkFacts | null {
  const { linkedAt, issuer, subject, claims, sources, claimsSeenAt, pushedMetadata, clearedAt } = session;
  const { discordUserId, username, importedAt } = session;
  if (linkedAt === null || issuer === null || subject === null) return null;
  if (claims === null || sources === null || claimsSeenAt === null) return null;
  const member = { discordUserId, username, issuer, subject, claims, sources, linkedAt, importedAt };
  const verdict = evaluateLink(deps, member);
  const outcomes = new Map(verdict.records.map(({ key, outcome }) => [key, outcome]));
  return {
    organisationName: organisationName(claims) ?? null,
    linkedAt,
    pushedMetadata,
    pushedAt: session.pushedAt,
    nextPushAt: nextPush(session),
    pushFailures: session.pushFailures ?? 0,
    records: deps.rules.records.flatMap(({ record }) => {
      const outcome = outcomes.get(record.key);
      const value = pushedValue(pushedMetadata ?? {}, record.key) ?? null;
      return outcome === undefined ? [] : [{ record, value, outcome }];
    }),
    admission: readAdmission(verdict.admitted),
    clearedAt,
    // An earlier release cleared for no other reason.
    clearCause: clearedAt === null ? null : (session.clearCause ?? "not_admitted"),
    lostAt: session.lostAt,
    claimsSeenAt,
    nextCheckAt: readNextCheck(deps, session),
    checkFailures: session.checkFailures ?? 0,
    sync: readSyncState(deps, session),
  };
}

/** A loss is told at a time of its own, unless it is held. */
function nextPush({ pushDueAt, lossDueAt, isLossHeld }: SessionWithLink): Date | null {
  if (lossDueAt === null || isLossHeld) return pushDueAt;
  return pushDueAt !== null && pushDueAt < lossDueAt ? pushDueAt : lossDueAt;
}

/** What a link says of the role. */
export function describeRole(link: LinkFacts | null): RoleStatus {
  if (link === null) return "not_linked";
  if (link.clearedAt !== null) return describeCleared(link);
  const { state } = link.sync;
  if (state === "disconnected" || state === "discord_ended" || state === "deauthorized") return state;
  return isDiscordBehind(link) ? "discord_not_told" : "discord_told";
}

/** Why a member whose role connection was cleared has no role now. That need not be why it was cleared. */
function describeCleared({ clearCause, sync, admission }: LinkFacts): RoleStatus {
  if (sync.state === "gone") return "membership_ended";
  if (clearCause === "not_admitted") return "not_admitted";
  if (sync.state === "ended") return "grant_ended";
  return admission === "refused" ? "not_admitted" : "discord_not_told";
}

/** Whether Discord has not accepted the latest push, or any. */
export function isDiscordBehind({ pushedMetadata, pushFailures }: LinkFacts): boolean {
  return pushedMetadata === null || pushFailures > 0;
}
