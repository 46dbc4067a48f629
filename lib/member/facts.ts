/** The facts of a member's link, as the member's page and the API show them. */
import { organisationName } from "../rules/claims.ts";
import type { Outcome } from "../rules/evaluate.ts";
import type { MetadataRecord } from "../rules/records.ts";
import { pushedValue } from "../rules/role_connection.ts";
import type { Session } from "../session/guard.ts";
import type { Admission, RuleDeps } from "../sync/member_rules.ts";
import { evaluateLink, readAdmission } from "../sync/member_rules.ts";

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
  /** Since when Discord has nothing of the member, because the rules no longer admit them; null otherwise. */
  readonly clearedAt: Date | null;
};

/** Why the role is or is not given, as far as Janus can know: Discord gives it when the member clicks Link there. */
export type RoleStatus = "not_linked" | "not_admitted" | "discord_not_told" | "discord_told";

/** The member's name at the organisation; null if no claim gives one. */
export const nameAtOrganisation = ({
  organisationNames,
}: Pick<Session, "organisationNames">): string | null => organisationName(organisationNames ?? {}) ?? null;

/** The member's link, with what the rules say of it, from a session that was found with the claims; null without a link. */
export function readLink(deps: RuleDeps, session: Session): LinkFacts | null {
  const { linkedAt, issuer, subject, claims, sources, pushedMetadata, clearedAt } = session;
  if (linkedAt === null || issuer === null || subject === null || claims === null || sources === null)
    return null;
  const verdict = evaluateLink(deps, { ...session, linkedAt, issuer, subject, claims, sources });
  const outcomes = new Map(verdict.records.map(({ key, outcome }) => [key, outcome]));
  return {
    organisationName: organisationName(claims) ?? null,
    linkedAt,
    pushedMetadata,
    pushedAt: session.pushedAt,
    nextPushAt: session.pushDueAt,
    pushFailures: session.pushFailures ?? 0,
    records: deps.rules.records.flatMap(({ record }) => {
      const outcome = outcomes.get(record.key);
      const value = pushedValue(pushedMetadata ?? {}, record.key) ?? null;
      return outcome === undefined ? [] : [{ record, value, outcome }];
    }),
    admission: readAdmission(verdict.admitted),
    clearedAt,
  };
}

/** What a link says of the role. */
export function describeRole(link: LinkFacts | null): RoleStatus {
  if (link === null) return "not_linked";
  if (link.clearedAt !== null) return "not_admitted";
  return isDiscordBehind(link) ? "discord_not_told" : "discord_told";
}

/** Whether Discord has not accepted the latest push, or any. */
export function isDiscordBehind({ pushedMetadata, pushFailures }: LinkFacts): boolean {
  return pushedMetadata === null || pushFailures > 0;
}
