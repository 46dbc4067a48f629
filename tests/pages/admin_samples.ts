/** Every page of administrators in each of its forms, with texts from outside wherever one can stand. */

import type { Overview } from "../../lib/operator/admin/overview.ts";
import { nameAdmin } from "../../lib/operator/admin/session.ts";
import type { Ban } from "../../lib/operator/bans.ts";
import type { ListedLink } from "../../lib/operator/select_links.ts";
import type { ShownLink } from "../../lib/operator/show_link.ts";
import {
  renderAdminRefused,
  renderAdminSignIn,
  renderBrakeQuestion,
  renderOverview,
} from "../../lib/pages/admin.tsx";
import { renderBanList, renderLiftQuestion } from "../../lib/pages/admin_bans.tsx";
import { renderLinkList } from "../../lib/pages/admin_links.tsx";
import { renderAdminMember, renderAdminNoLink } from "../../lib/pages/admin_member.tsx";
import type { AdminContext } from "../../lib/pages/admin_parts.tsx";
import { ADMIN_ACTIONS, renderAdminQuestion } from "../../lib/pages/admin_question.tsx";
import type { PageContext } from "../../lib/pages/parts.tsx";
import { ADMIN_NOTICES } from "../../lib/result/notice.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import type { Outside } from "./samples.ts";

const AT = new Date("2026-07-04T22:30:00Z");
const LATER = new Date("2026-07-05T10:03:00Z");
const ID = "200000000000000001";

const WEEK: Overview["week"] = {
  begun: 1_234,
  finished: 1_000,
  notAdmitted: 3,
  linked: 12,
  unlinked: 4,
  signedIn: 99,
  pushed: 2_000,
  cleared: 1,
  pushesFailed: 7,
};

const QUIET: Overview = {
  status: {
    links: { all: 0, told: 0, waiting: 0, losing: 0, disconnected: 0, cleared: 0 },
    checks: { due: 0, overdue: 0, oldest: null },
    pushes: { due: 0, overdue: 0, oldest: null },
    brake: { heldSince: null, held: 0 },
    stops: [],
    grantsEnded: { discord: 0, provider: 0 },
    attention: [],
  },
  week: WEEK,
  failing: [],
};

const BUSY: Overview = {
  ...QUIET,
  status: {
    links: { all: 12_345, told: 12_000, waiting: 300, losing: 40, disconnected: 4, cleared: 1 },
    checks: { due: 20, overdue: 3, oldest: AT },
    pushes: { due: 1, overdue: 0, oldest: LATER },
    brake: { heldSince: AT, held: 40 },
    stops: [{ upstream: "discord", code: "global_limit", since: AT, until: LATER }],
    grantsEnded: { discord: 2, provider: 5 },
    attention: [
      { kind: "check_overdue", count: 3 },
      { kind: "global_limit", count: 1 },
    ],
  },
  failing: [
    { code: "provider_unavailable", links: 3 },
    { code: "unknown", links: 1 },
  ],
};

const listedLink = ({ username, globalName, organisationName }: Outside): ListedLink => ({
  discordUserId: ID,
  username,
  globalName,
  issuer: "issuer",
  subject: "subject",
  names: { preferred_username: organisationName },
  state: "told",
  linkedAt: AT,
  claimsSeenAt: AT,
  pushedMetadata: null,
  pushedAt: null,
  pushDueAt: null,
  pushFailures: 1,
  checkDueAt: LATER,
  checkFailures: 2,
  checkFailedCode: "provider_unavailable",
  pushFailedCode: "discord_unavailable",
});

function shownLink({ username, globalName, organisationName, recordValue }: Outside): ShownLink {
  const [record] = DEFAULT_RULES.records;
  const rule = record?.value;
  if (rule === undefined) throw new Error("the default rules have a record");
  return {
    discordUserId: ID,
    username,
    globalName,
    issuer: "issuer",
    subject: organisationName,
    organisationName,
    linkedAt: AT,
    state: "told",
    sync: { state: "checked" },
    explanation: {
      admitted: { outcome: "value", value: true },
      admin: undefined,
      admit: { rule, outcome: { outcome: "value", value: true } },
      platformUsername: { rule, outcome: { outcome: "value", value: organisationName } },
      records: [{ key: "dsek_member", name: "Member", rule, outcome: { outcome: "value", value: "1" } }],
      push: { kind: "keep" },
    },
    records: [
      { key: "dsek_member", discordHas: "1", outcome: { outcome: "value", value: "1" } },
      { key: "points", discordHas: null, outcome: { outcome: "unknown", missing: "claims.points" } },
      { key: "odd", discordHas: recordValue, outcome: { outcome: "error", reason: organisationName } },
      { key: "old", discordHas: "7", outcome: null },
    ],
    pushes: {
      at: LATER,
      dueAt: LATER,
      failures: 1,
      failedCode: "discord_refused",
      clearedAt: null,
      clearCause: null,
    },
    checks: { at: AT, nextAt: LATER, failures: 2, failedCode: "provider_unavailable" },
    grants: {
      discord: { obtainedAt: AT, expiresAt: LATER, hasRefreshToken: true, endedAt: null, endCause: null },
      provider: { obtainedAt: AT, expiresAt: null, hasRefreshToken: false, endedAt: LATER, endCause: null },
    },
    sessions: 2,
    roleConnectionLeftAt: AT,
    trail: [
      {
        auditEventId: "1",
        discordUserId: ID,
        occurredAt: AT,
        action: "looked_at",
        issuer: null,
        subject: null,
        requestId: null,
        operator: `${organisationName} (subject)`,
        detail: null,
      },
    ],
  };
}

function bansOf({ organisationName }: Outside): readonly [Ban, Ban] {
  const ban = {
    banId: "ban",
    bannedAt: AT,
    operator: `${organisationName} (subject)`,
    reason: organisationName,
  };
  return [
    { ...ban, discordUserId: ID, issuer: null, subject: null, expiresAt: LATER },
    { ...ban, discordUserId: null, issuer: "issuer", subject: organisationName, expiresAt: null },
  ];
}

/** Each of them, by a name for the test's report. */
export function adminPages(page: PageContext, outside: Outside): Record<string, string> {
  const admin = { ...nameAdmin(outside.organisationName, "subject"), expiresAt: LATER };
  const context: AdminContext = { ...page, admin, notice: null };
  const { username, globalName, organisationName } = outside;
  const pair = { discordUserId: ID, discord: { username, globalName }, organisationName };
  const selection = {
    words: organisationName,
    state: "losing",
    isFailing: true,
    failedCode: "a_code",
  } as const;
  const link = shownLink(outside);
  const pages: Record<string, string> = {
    "admin, sign-in": renderAdminSignIn(page),
    "not an administrator": renderAdminRefused(page),
    "admin, quiet": renderOverview(context, QUIET),
    "admin, busy": renderOverview(context, BUSY),
    "admin, release": renderBrakeQuestion(context, { waiting: 40, countedAt: AT }),
    "admin, nothing to release": renderBrakeQuestion(context, { waiting: 0, countedAt: AT }),
    "admin, no links": renderLinkList(context, {
      links: [],
      next: null,
      selection: {},
      isFirst: true,
      isFull: false,
    }),
    "admin, links": renderLinkList(context, {
      links: [listedLink(outside)],
      next: ID,
      selection,
      isFirst: false,
      isFull: false,
    }),
    "admin, member": renderAdminMember(context, link),
    "admin, no bans": renderBanList(context, { bans: [], next: null, isFirst: true }),
    "admin, bans": renderBanList(context, { bans: bansOf(outside), next: "1.ban", isFirst: false }),
    "admin, lift": renderLiftQuestion(context, bansOf(outside)[0]),
    "admin, lift at the provider": renderLiftQuestion(context, bansOf(outside)[1]),
    "admin, no link": renderAdminNoLink(context),
  };
  for (const action of ADMIN_ACTIONS) pages[`admin, ${action}`] = renderAdminQuestion(context, action, pair);
  for (const notice of ADMIN_NOTICES)
    pages[`admin, ${notice}`] = renderOverview({ ...context, notice }, QUIET);
  return pages;
}
