/** One link on one page, and as JSON. It has facts of tokens and sessions, and none of them. */
import type { Grant, ShownLink, ShownRecord } from "../operator/show_link.ts";
import { printable } from "../text/printable.ts";
import { eventAsJson, eventRows } from "./event_view.ts";
import { formatTable } from "./table.ts";
import { shortTime, timeOrDash } from "./times.ts";

const MOST_OF_VALUE = 200;

/** For the operator. */
export function describeShownLink(link: ShownLink): string {
  const { discordUserId, username, globalName, issuer, subject, organisationName } = link;
  const shown = globalName === null ? "" : `, ${printable(globalName)}`;
  const named = organisationName === null ? "" : `, ${printable(organisationName)}`;
  const facts = [
    ["discord", `${discordUserId}  @${printable(username)}${shown}`],
    ["organisation", `${printable(subject)} at ${printable(issuer)}${named}`],
    ["linked", shortTime(link.linkedAt)],
    ["state", describeState(link)],
    ["admitted", describeOutcome(link.explanation.admitted)],
    ["push", describePushes(link)],
    ["check", describeChecks(link)],
    ["tokens", `discord: ${describeGrant(link.grants.discord)}`],
    ["", `provider: ${describeGrant(link.grants.provider)}`],
    ["sessions", String(link.sessions)],
    ...(link.roleConnectionLeftAt === null
      ? []
      : [["role", `may be left in Discord since ${shortTime(link.roleConnectionLeftAt)}: see janus audit`]]),
  ];
  return [
    formatTable(facts),
    formatTable([["record", "discord has", "the rules say"], ...link.records.map(recordRow)]),
    formatTable([["time", "action", "discord id", "operator", "detail"], ...eventRows(link.trail)]),
    `Why the rules say so: janus explain --member ${discordUserId}. The whole trail: janus audit-log --member ${discordUserId}.`,
  ].join("\n\n");
}

function describeState({ state, sync }: ShownLink): string {
  const since = "since" in sync ? ` since ${shortTime(sync.since)}` : "";
  const until = "until" in sync ? ` until ${shortTime(sync.until)}` : "";
  const why = "why" in sync ? ` (${sync.why})` : "";
  const remedy = "remedy" in sync && sync.remedy === "sign_in" ? " (a sign-in may help)" : "";
  return `${state}, ${sync.state}${since}${until}${why}${remedy}`;
}

function describePushes({ pushes }: ShownLink): string {
  const { at, dueAt, clearedAt, clearCause } = pushes;
  return [
    `last ${timeOrDash(at)}`,
    dueAt === null ? "none is due" : `next ${shortTime(dueAt)}`,
    ...describeFailures(pushes),
    ...(clearedAt === null ? [] : [`cleared ${shortTime(clearedAt)} (${clearCause ?? "not_admitted"})`]),
  ].join(", ");
}

function describeChecks({ checks }: ShownLink): string {
  const { at, nextAt } = checks;
  return [
    `last ${timeOrDash(at)}`,
    nextAt === null ? "nothing reads the claims again" : `next ${shortTime(nextAt)}`,
    ...describeFailures(checks),
  ].join(", ");
}

type Failures = Pick<ShownLink["checks"], "failures" | "failedCode">;

function describeFailures({ failures, failedCode }: Failures): readonly string[] {
  if (failures === 0) return [];
  return [
    `failed ${failures === 1 ? "1 time" : `${failures} times`}, with ${failedCode ?? "an unknown code"}`,
  ];
}

/** Facts of tokens. The tokens themselves are not here. */
function describeGrant(grant: Grant | null): string {
  if (grant === null) return "none";
  const { obtainedAt, expiresAt, hasRefreshToken, endedAt, endCause } = grant;
  const refreshToken = hasRefreshToken ? "with a refresh token" : "without a refresh token";
  return [
    `obtained ${shortTime(obtainedAt)}`,
    expiresAt === null ? "no expiry is known" : `expires ${shortTime(expiresAt)}`,
    // Of a grant that has ended no refresh token is of use: it was spent, refused, or never there.
    endedAt === null ? refreshToken : `ended ${shortTime(endedAt)} (${endCause ?? "unknown"})`,
  ].join(", ");
}

const recordRow = ({ key, discordHas, outcome }: ShownRecord): readonly string[] => [
  printable(key),
  discordHas === null ? "-" : printable(discordHas, MOST_OF_VALUE),
  outcome === null ? "no rule has this record" : describeOutcome(outcome),
];

function describeOutcome(
  outcome: NonNullable<ShownRecord["outcome"]> | ShownLink["explanation"]["admitted"],
) {
  switch (outcome.outcome) {
    case "value":
      return printable(String(outcome.value), MOST_OF_VALUE);
    case "unknown":
      return `unknown: ${printable(outcome.missing, MOST_OF_VALUE)} is missing`;
    case "error":
      return `error: ${printable(outcome.reason, MOST_OF_VALUE)}`;
  }
}

/** As JSON. Times are in ISO 8601. */
export function shownLinkAsJson(link: ShownLink) {
  const { sync, pushes, checks, explanation } = link;
  return {
    discord_user_id: link.discordUserId,
    username: link.username,
    display_name: link.globalName,
    issuer: link.issuer,
    subject: link.subject,
    organisation_name: link.organisationName,
    linked_at: link.linkedAt,
    state: link.state,
    sync: {
      state: sync.state,
      since: "since" in sync ? sync.since : null,
      until: "until" in sync ? sync.until : null,
      why: "why" in sync ? sync.why : null,
      remedy: "remedy" in sync ? sync.remedy : null,
    },
    admitted: explanation.admitted.outcome === "value" ? explanation.admitted.value : null,
    records: link.records.map(({ key, discordHas, outcome }) => ({
      key,
      discord_has: discordHas,
      outcome: outcome?.outcome ?? null,
      value: outcome?.outcome === "value" ? outcome.value : null,
      reason: outcome === null || outcome.outcome === "value" ? null : describeOutcome(outcome),
    })),
    push: {
      at: pushes.at,
      next_at: pushes.dueAt,
      failures: pushes.failures,
      failed_code: pushes.failedCode,
      cleared_at: pushes.clearedAt,
      clear_cause: pushes.clearCause,
    },
    check: {
      at: checks.at,
      next_at: checks.nextAt,
      failures: checks.failures,
      failed_code: checks.failedCode,
    },
    tokens: { discord: grantAsJson(link.grants.discord), provider: grantAsJson(link.grants.provider) },
    sessions: link.sessions,
    role_connection_left_at: link.roleConnectionLeftAt,
    trail: link.trail.map(eventAsJson),
  };
}

const grantAsJson = (grant: Grant | null) =>
  grant && {
    obtained_at: grant.obtainedAt,
    expires_at: grant.expiresAt,
    has_refresh_token: grant.hasRefreshToken,
    ended_at: grant.endedAt,
    end_cause: grant.endCause,
  };
