/** `janus sessions`: who is signed in, and ending that. It prints nothing that opens a session. */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import type { Database } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { usage } from "../../errors.ts";
import type { SessionScope } from "../../operator/sessions.ts";
import { countSessions, listAllSessions, purgeSessions } from "../../operator/sessions.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { requireAgreement } from "../agreement.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { findUserId } from "../find_user_id.ts";
import { readOperatorName } from "../operator_name.ts";
import { readAgo, readLimit } from "../option_values.ts";
import { endAsInterrupted, endWithFindings, print, warn } from "../output.ts";
import { createProgress } from "../progress.ts";
import { describeSessions, sessionsAsJson } from "../session_view.ts";
import { confirm, untilToldToStop } from "../terminal.ts";
import { withStoredDatabase } from "../with_database.ts";

const DEFAULT_LIMIT = 50;
const MOST_ECHOED = 120;
const MEMBER = "of one member: a Discord user id, a subject or a username";

/** Adds the command. */
export function addSessions(program: Command): void {
  const sessions = program
    .command("sessions")
    .helpCommand(false)
    .description("list who is signed in, and end sessions")
    .addHelpText("after", examples("janus sessions list", "janus sessions purge --member anna"));
  addList(sessions);
  addPurge(sessions);
}

type ListOptions = { readonly member?: string; readonly limit?: number; readonly after?: string };

function addList(sessions: Command): void {
  sessions
    .command("list")
    .option("--member <member>", MEMBER)
    .option("--limit <number>", `how many at most; ${DEFAULT_LIMIT} unless given`, readLimit)
    .option("--after <handle>", "only those after this one, as the end of a list names it", readHandle)
    .description("list sessions: whose, in which browser, and until when")
    .addHelpText("after", examples("janus sessions list --member anna", "janus sessions list --json"))
    .action(async ({ member, limit = DEFAULT_LIMIT, after }: ListOptions, command: Command) => {
      const { json } = readCommon(command);
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      const list = await withStoredDatabase(config, json, async (db) => {
        const queries = createQueries(db);
        const discordUserId = member === undefined ? undefined : await findUserId({ queries }, member);
        return listAllSessions({ queries, now }, { discordUserId }, { limit, after });
      });
      const none =
        member === undefined && after === undefined ? "Nobody is signed in." : "No sessions found.";
      await print(json ? toJson(sessionsAsJson(list)) : describeSessions(list, none));
    });
}

/** The name of a session in lists, as `session/secrets.ts` makes it. */
function readHandle(word: string): string {
  if (/^[A-Za-z0-9_-]{12}$/.test(word)) return word;
  throw usage(`Not a session: ${printable(word, MOST_ECHOED)}.\nThe end of a list names the next one.`);
}

type PurgeOptions = {
  readonly member?: string;
  readonly all?: boolean;
  readonly olderThan?: Date;
  readonly yes?: boolean;
};

function addPurge(sessions: Command): void {
  sessions
    .command("purge")
    .option("--member <member>", MEMBER)
    .option("--all", "of every member")
    .option("--older-than <age>", "only sessions that were last used longer ago, such as 36h or 3d", readAgo)
    .option("--yes", "do not ask")
    .description("end sessions; their members stay linked, and sign in again")
    .addHelpText(
      "after",
      examples(
        "janus sessions purge --member anna",
        "janus sessions purge --older-than 3d",
        "janus sessions purge --all --yes --json",
      ),
    )
    .action(async (options: PurgeOptions, command: Command) => {
      const { member, all, yes = false } = options;
      if (member !== undefined && all === true)
        throw usage("Name one of --member <member> and --all.\nSee janus sessions purge --help.");
      if (member === undefined && all !== true && options.olderThan === undefined)
        throw usage("Name --member <member>, --all or --older-than <age>.\nSee janus sessions purge --help.");
      const { json } = readCommon(command);
      requireAgreement("janus sessions purge", yes, json);
      const environment = await readEnvironmentFor(command);
      await purge({ options, json, environment, isAgreed: yes });
    });
}

/** What was asked for. `isAgreed` outlasts a database that went away in between. */
type Asked = {
  readonly options: PurgeOptions;
  readonly environment: Environment;
  readonly json: boolean;
  isAgreed: boolean;
};

async function purge(asked: Asked): Promise<void> {
  const { environment, json } = asked;
  const config = readDatabaseConfig(environment);
  const ended = await withStoredDatabase(config, json, (db) => endSessions(db, asked));
  if (ended === undefined) {
    endWithFindings();
    return print("Nothing was changed.");
  }
  if (ended.signal !== undefined) {
    endAsInterrupted(ended.signal);
    await warn("stopped before the last session: what was ended stays ended", json);
  }
  await print(json ? toJson({ ended: ended.result }) : `${counted(ended.result)} ended.`);
}

const counted = (sessions: number): string => (sessions === 1 ? "1 session" : `${sessions} sessions`);

/** Undefined if nobody agreed. */
async function endSessions(db: Database, asked: Asked) {
  const { options, environment, json } = asked;
  const queries = createQueries(db);
  const { member, olderThan } = options;
  const scope: SessionScope = {
    discordUserId: member === undefined ? undefined : await findUserId({ queries }, member),
    usedBefore: olderThan,
  };
  const total = await countSessions({ queries }, scope);
  if (total === 0) return { result: 0, signal: undefined };
  asked.isAgreed ||= await confirm(
    `${counted(total)} would end. Their members have to sign in again. Go on?`,
  );
  if (!asked.isAgreed) return undefined;
  const progress = createProgress(total, "sessions", json);
  const operator = readOperatorName(environment);
  return untilToldToStop(
    (stop) => purgeSessions({ queries, now }, { ...scope, operator }, { stop, onProgress: progress.tell }),
    () => undefined,
  ).finally(() => progress.end());
}
