/**
 * `janus audit` lists links and grants that need the operator's attention, and says what to do. The exit code is 1 if there
 * are any.
 */

import { readDatabaseConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { requireMigrated } from "../../database/migrations.ts";
import { openDatabase } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { waitForDatabase } from "../../database/wait.ts";
import { usage } from "../../errors.ts";
import type { Audit, Finding } from "../../operator/audit.ts";
import { auditLinks, forgetRoleLeft } from "../../operator/audit.ts";
import { createWorld, now } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import { endWithFindings, sayOnce } from "../output.ts";

/** What each kind means, and what to do. */
const MEANINGS: Readonly<Record<string, string>> = {
  role_connection_left:
    "Discord may still give these members a role, and Janus has no token to clear it. Take the role away by hand, then run janus audit --resolved with the id. If a member links again, Janus clears it.",
  grant_end_failing: "Discord has not ended these grants. The log says why; Janus tries again.",
  refresh_unanswered:
    "The answer to a refresh of these tokens was lost. If the next refresh fails, the member must follow the link again.",
  role_connection_clear_failing:
    "Discord has not cleared the role connection of an earlier link of these members. Janus tries again.",
  provider_grant_end_failing: "The provider has not ended these grants. The log says why; Janus tries again.",
  push_failing: "Pushes for these members keep failing. The log says why; Janus tries again.",
  push_overdue:
    "These pushes have been due for more than an hour. Is a Janus server running on this database?",
  stray_token_failing: "Janus could not revoke these tokens of failed sign-ins. It tries again.",
};

/**
 * Looks at the database that the configuration names; with `resolved`, forgets one finding first. Throws config_invalid,
 * usage where there is no such finding, database_unavailable, database_not_migrated.
 */
export async function audit(
  { json, resolved }: { readonly json: boolean; readonly resolved?: string },
  environment: Environment,
): Promise<string> {
  const { database, databaseWaitSeconds } = readDatabaseConfig(environment);
  const db = await openDatabase(database);
  const say = sayOnce("waiting for the database: ");
  const queries = createQueries(db);
  try {
    const found = await waitForDatabase(
      async () => {
        await requireMigrated(db);
        if (resolved !== undefined && !(await forgetRoleLeft({ queries }, resolved)))
          throw usage(`No role is known to be left to ${resolved}. See janus audit.`);
        return auditLinks({ queries, now });
      },
      {
        ...createWorld(NO_LOG, { ref: true }),
        seconds: databaseWaitSeconds,
        onWait: ({ message }) => say(message),
      },
    );
    if (found.findings.length > 0) endWithFindings();
    return json ? JSON.stringify(found) : describe(found);
  } finally {
    await db.close();
  }
}

function describe({ links, findings }: Audit): string {
  const counted = links === 1 ? "1 link" : `${links} links`;
  if (findings.length === 0) return `${counted}. Nothing to do.`;
  return [`${counted}. ${findings.length === 1 ? "1 finding" : `${findings.length} findings`}:`]
    .concat(findings.map(describeFinding))
    .join("\n\n");
}

function describeFinding({ kind, count, examples }: Finding): string {
  const shown = examples.map((example) => printable(example)).join(", ");
  const more = count > examples.length ? `, and ${count - examples.length} more` : "";
  return `${kind}  ${count}\n  ${MEANINGS[kind] ?? ""}\n  ${shown}${more}`;
}
