/**
 * What must hold in the end, whatever has failed: by what Discord and the provider themselves have, what the database
 * holds, and what members were told.
 */
import type { WorkDeps } from "../../lib/deps.ts";
import { places, userIdOf } from "./accounts.ts";
import { nameOf } from "./browser.ts";
import { checkGrants, historyOf, unexcused } from "./grant_checks.ts";
import { LINK_SCOPE } from "./journal.ts";
import type { Person } from "./members.ts";
import { describeWorlds } from "./members.ts";
import type { Stage } from "./stage.ts";

export type Row = Readonly<Record<string, unknown>>;

/** What the checks compare. */
export type Evidence = {
  readonly stage: Stage;
  readonly deps: WorkDeps;
  readonly persons: readonly Person[];
  readonly links: readonly Row[];
  readonly tokens: readonly Row[];
  readonly organisationTokens: readonly Row[];
  readonly sessions: readonly Row[];
  readonly told: readonly Row[];
};

/** What does not hold, in words, by the promise that it breaks; and how much was let pass, by its excuse. */
type Findings = {
  readonly broken: readonly string[];
  readonly excused: Readonly<Record<string, number>>;
};

/** Checks all of it. */
export async function checkAll(stage: Stage, deps: WorkDeps, persons: readonly Person[]): Promise<Findings> {
  const { rows } = stage.database;
  const evidence: Evidence = {
    stage,
    deps,
    persons,
    links: await rows("select discord_user_id, subject, push_due_at, push_failures from link"),
    tokens: await rows("select * from discord_token"),
    organisationTokens: await rows("select * from organisation_token"),
    sessions: await rows("select discord_user_id from session"),
    told: await rows("select discord_user_id from audit_event where action = 'role_connection_not_cleared'"),
  };
  const grants = checkGrants(evidence);
  const excused = Object.groupBy(
    grants.filter(({ excuse }) => excuse !== undefined),
    ({ what, excuse }) => `${what}: ${excuse}`,
  );
  return {
    broken: [
      ...stage.journal.violations.map((text) => `on the way: ${text}`),
      ...checkRoles(evidence).map((text) => `1 roles: ${text}`),
      ...persons.flatMap((person) => checkLinks(evidence, person)).map((text) => `2 links: ${text}`),
      ...checkDue(evidence).map((text) => `2 due: ${text}`),
      ...unexcused(grants).map((text) => `3 grants: ${text}`),
      ...[...stage.discord.unexpected, ...stage.provider.unexpected].map((call) => `unexpected: ${call}`),
    ],
    excused: {
      ...Object.fromEntries(Object.entries(excused).map(([name, list = []]) => [name, list.length])),
      ...countDead(evidence),
      "roles that the operator was told of": evidence.told.length,
    },
  };
}

/** Links that are due for ever, by the reason. */
function countDead({ stage, links }: Evidence): Readonly<Record<string, number>> {
  const due = links.filter((row) => row.pushDueAt !== null);
  const byReason = Object.groupBy(
    due,
    (row) => whyDead(stage, String(row.discordUserId)) ?? "no known reason",
  );
  return Object.fromEntries(
    Object.entries(byReason).map(([reason, list = []]) => [`links with a push due: ${reason}`, list.length]),
  );
}

const linkOf = ({ links }: Evidence, userId: string) => links.find((row) => row.discordUserId === userId);

/** Nobody has a role without a link, but those that the operator was told of; and that only where it had to be. */
function checkRoles(evidence: Evidence): readonly string[] {
  const { stage, told } = evidence;
  const { journal } = stage;
  const isTold = (userId: string) =>
    told.some((row) => row.discordUserId === userId) &&
    journal.lines.some((line) => line.includes('"role_connection_not_cleared"') && line.includes(userId));
  const left = [...stage.discord.roleConnections().keys()]
    .filter((userId) => linkOf(evidence, userId) === undefined && !isTold(userId))
    .map(
      (userId) =>
        `${userId} has a role connection and no link, and nobody was told${historyOf(evidence.stage, userId)}`,
    );
  const users = new Set(told.map((row) => String(row.discordUserId)));
  const needless = [...users].flatMap((userId) => {
    const events = told.filter((row) => row.discordUserId === userId).length;
    const lost = journal.lostRefreshes(userId, true).length;
    return events <= lost ? [] : [`${userId} was told of ${events} times, and ${lost} refreshes were lost`];
  });
  return [...left, ...needless];
}

/** The links are those that the answers left the person with, and Discord has them, or is to be told again. */
function checkLinks(evidence: Evidence, person: Person): readonly string[] {
  const { number, worlds } = person;
  const { discord } = evidence.stage;
  const own = places.map((place) => ({ place, userId: userIdOf(number, place) }));
  const links = own.flatMap(({ place, userId }) => {
    const row = linkOf(evidence, userId);
    return row === undefined ? [] : [{ place, userId, row, organisation: organisationOf(number, row) }];
  });
  const world = links
    .map(({ place, organisation }) => `${place}${organisation}`)
    .sort()
    .join();
  const wrong = worlds.has(world)
    ? []
    : [`person ${number} has [${world || "no link"}], and was told ${describeWorlds(worlds)}`];
  const unpushed = links.flatMap(({ userId, row, organisation }) => {
    const isPushed =
      discord.roleConnection(userId)?.platform_username === nameOf("org", number, organisation);
    if (row.pushDueAt === null) return isPushed ? [] : [`${userId} is linked, and Discord has nothing due`];
    if (whyDead(evidence.stage, userId) !== undefined) return [];
    const history = historyOf(evidence.stage, userId);
    return [`${userId} is still due after ${row.pushFailures} failures of a push${history}`];
  });
  return [...wrong, ...unpushed];
}

/** Why nothing can be pushed with the tokens that Janus has: only the member's next sign-in mends it. */
function whyDead({ journal }: Stage, userId: string): string | undefined {
  if (journal.lostRefreshes(userId, true).length > 0) return "a refresh was lost";
  const codes = journal.issues.filter(
    (issue) => issue.userId === userId && issue.grant === "code" && issue.scopes.includes(LINK_SCOPE),
  );
  // Between the answer to the code and the row that keeps it, an earlier grant was ended, and this one with it.
  const isEnded = journal.hasEnded(userId, codes.at(-1)?.at ?? 0);
  return isEnded ? "its authorization was ended as it began" : undefined;
}

const organisationOf = (person: number, row: Row): number =>
  places.findIndex((place) => row.subject === `sub-of-${nameOf("org", person, place)}`);

/** Half a day later no end is left to be tried, but of abandoned grants that a session keeps. */
function checkDue({ stage, tokens, organisationTokens, sessions }: Evidence): readonly string[] {
  const now = stage.clock.now().toISOString();
  const isDue = (row: Row) => (row.endDueAt ?? row.clearDueAt ?? null) !== null;
  // Its end would take the session's tokens as well, so it waits.
  const isKept = ({ endReason, discordUserId }: Row) =>
    endReason === "abandoned" && sessions.some((session) => session.discordUserId === discordUserId);
  const describe = ({ endReason, endDueAt, clearDueAt, endFailures, leasedUntil, obtainedAt }: Row): string =>
    JSON.stringify({ now, endReason, endDueAt, clearDueAt, endFailures, leasedUntil, obtainedAt });
  return [
    ...tokens
      .filter((row) => isDue(row) && !isKept(row))
      .map((row) => {
        const userId = String(row.discordUserId);
        return `the grant of ${userId} at Discord ${describe(row)}${historyOf(stage, userId)}`;
      }),
    ...organisationTokens
      .filter(isDue)
      .map((row) => `the grant of ${row.subject} at the provider ${describe(row)}`),
  ];
}
