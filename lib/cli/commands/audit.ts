/**
 * `janus audit`: lists links and grants that need the operator's attention, and says what to do about each. It changes
 * nothing, unless the operator says that a finding is resolved.
 */
import type { Command } from "commander";
import { readAuditConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { createQueries } from "../../database/queries.ts";
import { usage } from "../../errors.ts";
import type { Audit, EventCount, Finding } from "../../operator/audit.ts";
import { auditKeys, auditLinks, EVENT_DAYS, forgetRoleLeft, MOST_COUNTED } from "../../operator/audit.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { MEANINGS } from "../audit_meanings.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readOperatorName } from "../operator_name.ts";
import { endWithFindings, print, warn } from "../output.ts";
import { withStoredDatabase } from "../with_database.ts";

const MOST_ECHOED = 120;

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
      await print(json ? toJson(found) : describe(found));
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
  const config = readAuditConfig(environment);
  return withStoredDatabase(config, json, async (db) => {
    const queries = createQueries(db);
    const operator = readOperatorName(environment);
    if (
      resolved !== undefined &&
      !(await forgetRoleLeft({ queries, now }, { discordUserId: resolved, operator }))
    )
      throw usage(
        `Janus does not know of a role that the Discord user ${resolved} may still have. See janus audit.`,
      );
    const { links, findings, events } = await auditLinks({ queries, now, sync: config.sync });
    const keys = await auditKeys({ queries }, config.tokenKeys);
    if (keys === "untold") await warn(NO_KEYS, json);
    return { links, findings: typeof keys === "string" ? findings : [...findings, keys], events };
  });
}

const NO_KEYS =
  "TOKEN_KEYS is not set here, so the audit cannot tell whether the keys of the server open the stored tokens";

function describe({ links, findings, events }: Audit): string {
  const counted = links === 1 ? "1 link" : `${links} links`;
  const told = events.length === 0 ? [] : [describeEvents(events)];
  if (findings.length === 0) return [`${counted}. Nothing to do.`, ...told].join("\n\n");
  return [`${counted}. ${findings.length === 1 ? "1 finding" : `${findings.length} findings`}:`]
    .concat(findings.map(describeFinding), told)
    .join("\n\n");
}

/** One line for each source: how many of its events came to what. */
function describeEvents(events: readonly EventCount[]): string {
  const bySource = Map.groupBy(events, ({ source }) => source);
  const lines = [...bySource].map(
    ([source, counts]) =>
      `  ${source}: ${counts.map(({ outcome, count }) => `${count} ${outcome}`).join(", ")}`,
  );
  return [`Events of the last ${EVENT_DAYS} days:`, ...lines].join("\n");
}

function describeFinding({ kind, count, examples }: Finding): string {
  const shown = examples.map((example) => printable(example)).join(", ");
  // Its examples are all the senders, and its count is of their events.
  if (kind === "events_refused") return `${kind}  ${count}\n  ${MEANINGS[kind]}\n  ${shown}`;
  const isAll = count < MOST_COUNTED;
  const others = isAll ? `${count - examples.length} more` : "many more";
  const more = count > examples.length ? `, and ${others}` : "";
  const counted = isAll ? String(count) : `${count} or more`;
  return `${kind}  ${counted}\n  ${MEANINGS[kind] ?? ""}\n  ${shown}${more}`;
}
