/**
 * Everything about one link on one page: whose it is, what Discord has and what the rules say, how it is kept true, which
 * tokens there are, and what happened last. Of a token it says only whether it is there, and until when.
 */
import type { Queries } from "../database/queries.ts";
import type { LINK_STATES } from "../database/statements/link_view.ts";
import type { SyncState } from "../member/sync_state.ts";
import { readNextCheck, readSyncState } from "../member/sync_state.ts";
import { organisationName } from "../rules/claims.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import type { GraceNeeds } from "../sync/decision.ts";
import { factsOf } from "../sync/member_rules.ts";
import type { AuditEvent } from "./audit_log.ts";
import type { Explanation, StoredLink } from "./explain.ts";
import { explainMember } from "./explain.ts";
import { countSessions } from "./sessions.ts";

type Needs = GraceNeeds & {
  readonly queries: Queries;
  readonly now: () => Date;
  readonly rules: RuleSet;
  readonly platformName: string;
};

/** A link, and what is known of it. */
export type ShownLink = {
  readonly discordUserId: string;
  readonly username: string;
  readonly globalName: string | null;
  readonly issuer: string;
  readonly subject: string;
  readonly organisationName: string | null;
  readonly linkedAt: Date;
  readonly state: (typeof LINK_STATES)[number];
  /** How it is kept true. */
  readonly sync: SyncState;
  /** What the rules say now, and what a push would do. */
  readonly explanation: Explanation;
  readonly records: readonly ShownRecord[];
  readonly pushes: Pushes;
  readonly checks: Checks;
  readonly grants: { readonly discord: Grant | null; readonly provider: Grant | null };
  readonly sessions: number;
  /** Since when the member may still have a role that Janus could not remove. */
  readonly roleConnectionLeftAt: Date | null;
  /** The newest first, without looks of administrators: these would soon be all that is left. */
  readonly trail: readonly AuditEvent[];
};

/** A metadata record: what Discord has, null for nothing, and what the rules say; null if they do not have the record. */
export type ShownRecord = {
  readonly key: string;
  readonly discordHas: string | null;
  readonly outcome: Explanation["records"][number]["outcome"] | null;
};

type Pushes = {
  readonly at: Date | null;
  readonly dueAt: Date | null;
  readonly failures: number;
  readonly failedCode: string | null;
  readonly clearedAt: Date | null;
  readonly clearCause: string | null;
};

/** `at` is when the provider last said what it says; `nextAt` is null if nothing can read the claims again. */
type Checks = {
  readonly at: Date | null;
  readonly nextAt: Date | null;
  readonly failures: number;
  readonly failedCode: string | null;
};

/** The tokens of a grant, as facts. */
export type Grant = {
  readonly obtainedAt: Date;
  /** When the access token expires, if that is known. */
  readonly expiresAt: Date | null;
  readonly hasRefreshToken: boolean;
  readonly endedAt: Date | null;
  readonly endCause: string | null;
};

const TRAIL_EVENTS = 10;

type Stored = NonNullable<Awaited<ReturnType<Queries["exportMember"]>>>;

/** Reads one link. Undefined if it is gone since it was found. */
export async function showLink(needs: Needs, link: StoredLink): Promise<ShownLink | undefined> {
  const { queries, now, rules, platformName } = needs;
  const { discordUserId, username, issuer, subject, linkedAt } = link;
  const [stored, brake, events, sessions] = await Promise.all([
    queries.exportMember({ discordUserId }),
    queries.findBrakeHeld({}),
    queries.listAuditEvents({ discordUserId }),
    countSessions(needs, { discordUserId }),
  ]);
  if (stored === undefined || stored.linkState === null) return undefined;
  const explanation = explainMember(rules, factsOf(link, now()), link, platformName);
  const kept = withSyncColumns(stored, brake);
  return {
    ...{ discordUserId, username, issuer, subject, linkedAt },
    globalName: stored.globalName,
    organisationName: organisationName(link.claims) ?? null,
    state: stored.linkState,
    sync: readSyncState(needs, kept),
    explanation,
    records: readRecords(stored, explanation),
    pushes: {
      at: stored.pushedAt,
      dueAt: stored.pushDueAt,
      failures: stored.pushFailures ?? 0,
      failedCode: stored.pushFailedCode,
      clearedAt: stored.clearedAt,
      clearCause: stored.clearCause,
    },
    checks: {
      at: stored.claimsSeenAt,
      nextAt: readNextCheck(needs, kept),
      failures: stored.checkFailures ?? 0,
      failedCode: stored.checkFailedCode,
    },
    grants: { discord: discordGrantOf(stored), provider: providerGrantOf(stored) },
    sessions,
    roleConnectionLeftAt: stored.roleConnectionLeftAt,
    trail: events.filter(({ action }) => action !== "looked_at").slice(0, TRAIL_EVENTS),
  };
}

type Held = Awaited<ReturnType<Queries["findBrakeHeld"]>>;

/** As a session has them, with what the brake says. */
function withSyncColumns(stored: Stored, held: Held) {
  const { lossFoundAt, discordEndCause } = stored;
  const isReleased =
    lossFoundAt !== null && held !== undefined && held.releasedAt !== null && lossFoundAt <= held.releasedAt;
  return {
    ...stored,
    isLossHeld: lossFoundAt !== null && held !== undefined && !isReleased,
    isDeauthorized: discordEndCause === "deauthorized",
  };
}

/** Those of the rules, in their order, and then those that only Discord has. */
function readRecords(
  { pushedMetadata, clearedAt, disconnectedAt }: Stored,
  { records }: Explanation,
): readonly ShownRecord[] {
  const isEmpty = clearedAt !== null || disconnectedAt !== null;
  const pushed = new Map(Object.entries((isEmpty ? null : pushedMetadata) ?? {}));
  const known = records.map(({ key, outcome }) => ({ key, discordHas: pushed.get(key) ?? null, outcome }));
  for (const { key } of records) pushed.delete(key);
  return [...known, ...[...pushed].map(([key, discordHas]) => ({ key, discordHas, outcome: null }))];
}

function discordGrantOf(stored: Stored): Grant | null {
  if (stored.obtainedAt === null) return null;
  return {
    obtainedAt: stored.obtainedAt,
    expiresAt: stored.discordExpiresAt,
    // Discord takes the tokens with it, and Janus deletes them.
    hasRefreshToken: stored.discordEndCause !== "deauthorized",
    endedAt: stored.discordEndedAt,
    endCause: stored.discordEndCause,
  };
}

function providerGrantOf(stored: Stored): Grant | null {
  if (stored.organisationTokenObtainedAt === null) return null;
  return {
    obtainedAt: stored.organisationTokenObtainedAt,
    expiresAt: stored.organisationExpiresAt,
    hasRefreshToken: stored.hasOrganisationRefreshToken,
    endedAt: stored.organisationEndedAt,
    endCause: stored.organisationEndCause,
  };
}
