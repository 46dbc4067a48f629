/**
 * `janus audit`: lists links and grants that need the operator's attention, and says what to do about each. It changes
 * nothing, unless the operator says that a finding is resolved.
 */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { createQueries } from "../../database/queries.ts";
import { usage } from "../../errors.ts";
import type { Audit, Finding } from "../../operator/audit.ts";
import { auditLinks, forgetRoleLeft } from "../../operator/audit.ts";
import { now } from "../../server/world.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { endWithFindings, print } from "../output.ts";
import { withStoredDatabase } from "../with_database.ts";

const MOST_ECHOED = 120;

/** What each kind means, and what to do about it. */
const MEANINGS: Readonly<Record<string, string>> = {
  role_connection_left:
    "Discord may still give these members a role, and Janus has no token to clear it. Remove the role by hand, then run janus audit --resolved with the id. If a member links again, Janus clears it.",
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

/** Adds the command. Its exit code is 1 if there are findings. */
export function addAudit(program: Command): void {
  program
    .command("audit")
    .option(
      "--resolved <id>",
      "remove this Discord user from the list, after you have removed their role",
      readUserId,
    )
    .description("list links and grants that need your attention; exit code 1 if there are any")
    .addHelpText(
      "after",
      examples("janus audit", "janus audit --json", "janus audit --resolved 80351110224678912"),
    )
    .action(async ({ resolved }: { readonly resolved?: string }, command: Command) => {
      const { json } = readCommon(command);
      const found = await audit(resolved, json, await readEnvironmentFor(command));
      if (found.findings.length > 0) endWithFindings();
      await print(json ? JSON.stringify(found) : describe(found));
    });
}

function readUserId(word: string): string {
  if (/^[0-9]{1,20}$/.test(word)) return word;
  throw usage(
    `Not a Discord user id: ${printable(word, MOST_ECHOED)}.\nIt is a number, as janus audit lists it.`,
  );
}

/**
 * Looks at the database. With `resolved` it first forgets one finding, and throws usage if there is no such finding.
 * Throws database_unavailable without a database.
 */
async function audit(resolved: string | undefined, json: boolean, environment: Environment): Promise<Audit> {
  return withStoredDatabase(readDatabaseConfig(environment), json, async (db) => {
    const queries = createQueries(db);
    if (resolved !== undefined && !(await forgetRoleLeft({ queries }, resolved)))
      throw usage(
        `Janus does not know of a role that the Discord user ${resolved} may still have. See janus audit.`,
      );
    return auditLinks({ queries, now });
  });
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
