/** From the results of use cases to the answers of the API: names and times as they are on the wire. */

import type { DiscordUser } from "../discord/client.ts";
import type { exportStored } from "../member/export.ts";
import type { LinkFacts, RecordFacts, RoleStatus } from "../member/facts.ts";
import type { listSessions } from "../session/guard.ts";
import type { SessionList, StoredData, Userinfo } from "./schemas.ts";
import { ROLE_WORDS, SYNC_WORDS } from "./words.ts";

type Stored = Awaited<ReturnType<typeof exportStored>>;
type Sessions = Awaited<ReturnType<typeof listSessions>>;

const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null;
const presence = (isThere: boolean) => (isThere ? "present" : "absent");

/** GET /api/userinfo */
export function viewUserinfo(user: DiscordUser, link: LinkFacts | null, status: RoleStatus): Userinfo {
  return {
    discord: {
      id: user.discordUserId,
      username: user.username,
      display_name: user.globalName,
      avatar_url: user.avatarUrl,
    },
    link:
      link === null
        ? null
        : {
            organisation_name: link.organisationName,
            linked_at: link.linkedAt.toISOString(),
            pushed_metadata: link.pushedMetadata === null ? null : { ...link.pushedMetadata },
            pushed_at: isoOrNull(link.pushedAt),
            next_push_at: isoOrNull(link.nextPushAt),
            push_failures: link.pushFailures,
            admission: link.admission,
            cleared_at: isoOrNull(link.clearedAt),
            clear_cause: link.clearCause,
            lost_at: isoOrNull(link.lostAt),
            sync: viewSync(link),
            records: link.records.map(viewRecord),
          },
    role: { status, ...ROLE_WORDS[status] },
  };
}

function viewSync({ sync, claimsSeenAt, nextCheckAt, checkFailures }: LinkFacts) {
  return {
    state: sync.state,
    ...SYNC_WORDS[sync.state],
    since: "since" in sync ? sync.since.toISOString() : null,
    until: "until" in sync ? sync.until.toISOString() : null,
    why: "why" in sync ? sync.why : null,
    remedy: "remedy" in sync ? sync.remedy : null,
    claims_seen_at: claimsSeenAt.toISOString(),
    next_check_at: isoOrNull(nextCheckAt),
    check_failures: checkFailures,
  };
}

function viewRecord({ record, value, outcome }: RecordFacts) {
  const { key, name, type } = record;
  const said = { outcome: outcome.outcome, value: null, reason: null };
  const fixed = { key, name, type, discord_has: value };
  switch (outcome.outcome) {
    case "value":
      return { ...fixed, ...said, value: outcome.value };
    case "unknown":
      return { ...fixed, ...said, reason: `${outcome.missing} is missing` };
    case "error":
      return { ...fixed, ...said, reason: outcome.reason };
  }
}

/** GET /api/sessions */
export function viewSessions(sessions: Sessions, currentHandle: string): SessionList {
  return {
    sessions: sessions.map(({ sessionHandle, userAgent, createdAt, lastUsedAt, expiresAt }) => ({
      handle: sessionHandle,
      current: sessionHandle === currentHandle,
      user_agent: userAgent,
      created_at: createdAt.toISOString(),
      last_used_at: lastUsedAt.toISOString(),
      expires_at: expiresAt.toISOString(),
    })),
  };
}

/** GET /api/me/export; undefined where nothing is stored any more. `about` explains the file to the member. */
export function viewStored(
  { stored, scimUser, bans, flows, sessions, trail }: Stored,
  about: readonly string[],
  now: Date,
): StoredData | undefined {
  if (stored === undefined) return undefined;
  return {
    about: [...about],
    exported_at: now.toISOString(),
    discord_account: {
      id: stored.discordUserId,
      username: stored.username,
      display_name: stored.globalName,
      created_at: stored.createdAt.toISOString(),
      updated_at: stored.updatedAt.toISOString(),
    },
    discord_grant: viewDiscordGrant(stored),
    link: viewStoredLink(stored),
    ...viewOrganisation(stored),
    scim_user: viewScimUser(scimUser),
    role_connection_left_at: isoOrNull(stored.roleConnectionLeftAt),
    bans: bans.map(({ bannedAt, expiresAt }) => ({
      banned_at: bannedAt.toISOString(),
      expires_at: isoOrNull(expiresAt),
    })),
    flows: flows.map(({ createdAt, expiresAt, issuer, subject, claims, sources }) => ({
      created_at: createdAt.toISOString(),
      expires_at: expiresAt.toISOString(),
      organisation_account:
        issuer === null || subject === null
          ? null
          : { issuer, subject, claims: claims ?? {}, sources: sources ?? {} },
    })),
    sessions: sessions.map((session) => ({
      handle: session.sessionHandle,
      user_agent: session.userAgent,
      access_token: presence(true),
      refresh_token: presence(session.hasRefreshToken),
      created_at: session.createdAt.toISOString(),
      last_used_at: session.lastUsedAt.toISOString(),
      expires_at: session.expiresAt.toISOString(),
    })),
    audit_trail: trail.map(({ occurredAt, action, issuer, subject, requestId, operator, detail }) => ({
      occurred_at: occurredAt.toISOString(),
      action,
      issuer,
      subject,
      request_id: requestId,
      by_operator: operator !== null,
      detail,
    })),
  };
}

type StoredRow = NonNullable<Stored["stored"]>;

function viewDiscordGrant(stored: StoredRow): StoredData["discord_grant"] {
  const { scope, discordExpiresAt, obtainedAt, endReason } = stored;
  if (scope === null || discordExpiresAt === null || obtainedAt === null) return null;
  return {
    scope,
    access_token: presence(true),
    refresh_token: presence(true),
    expires_at: discordExpiresAt.toISOString(),
    obtained_at: obtainedAt.toISOString(),
    ending: endReason,
    ended_at: isoOrNull(stored.discordEndedAt),
    end_cause: stored.discordEndCause,
  };
}

function viewStoredLink(stored: StoredRow): StoredData["link"] {
  if (stored.linkedAt === null) return null;
  return {
    linked_at: stored.linkedAt.toISOString(),
    imported_at: isoOrNull(stored.importedAt),
    pushed_metadata: stored.pushedMetadata === null ? null : { ...stored.pushedMetadata },
    pushed_platform_username: stored.pushedPlatformUsername,
    pushed_at: isoOrNull(stored.pushedAt),
    cleared_at: isoOrNull(stored.clearedAt),
    clear_cause: stored.clearCause,
    next_push_at: isoOrNull(stored.pushDueAt),
    push_failures: stored.pushFailures ?? 0,
    push_failed_code: stored.pushFailedCode,
    sync_asked_at: isoOrNull(stored.syncAskedAt),
    next_check_at: isoOrNull(stored.checkDueAt),
    check_failures: stored.checkFailures ?? 0,
    check_failed_code: stored.checkFailedCode,
    reconciled_at: isoOrNull(stored.reconciledAt),
    disconnected_at: isoOrNull(stored.disconnectedAt),
    token_refused_at: isoOrNull(stored.tokenRefusedAt),
    loss_found_at: isoOrNull(stored.lossFoundAt),
    next_loss_push_at: isoOrNull(stored.lossDueAt),
    lost_at: isoOrNull(stored.lostAt),
    membership_ended_at: isoOrNull(stored.goneAt),
    membership_ended_by: stored.goneSource,
  };
}

function viewScimUser(user: Stored["scimUser"]): StoredData["scim_user"] {
  if (user === undefined) return null;
  const { externalId, userName, facts } = user;
  return { external_id: externalId, user_name: userName, ...facts };
}

function viewOrganisation(
  stored: StoredRow,
): Pick<StoredData, "organisation_account" | "organisation_grant"> {
  const { issuer, subject, claims, sources, claimsSeenAt, organisationCreatedAt } = stored;
  const isKnown = issuer !== null && subject !== null && claims !== null;
  const obtainedAt = stored.organisationTokenObtainedAt;
  return {
    organisation_account:
      isKnown && claimsSeenAt !== null && organisationCreatedAt !== null
        ? {
            issuer,
            subject,
            claims,
            sources: sources ?? {},
            claims_seen_at: claimsSeenAt.toISOString(),
            created_at: organisationCreatedAt.toISOString(),
          }
        : null,
    organisation_grant:
      obtainedAt === null
        ? null
        : {
            access_token: presence(true),
            refresh_token: presence(stored.hasOrganisationRefreshToken),
            expires_at: isoOrNull(stored.organisationExpiresAt),
            obtained_at: obtainedAt.toISOString(),
            replaced_tokens: stored.replacedTokenCount,
            refresh_unanswered_since: isoOrNull(stored.organisationUnansweredSince),
            refresh_refusals: stored.organisationRefusals ?? 0,
            ended_at: isoOrNull(stored.organisationEndedAt),
            end_cause: stored.organisationEndCause,
          },
  };
}
