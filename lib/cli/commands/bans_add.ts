/**
 * `janus bans add`: bans an account, or both accounts of a linked member, after it has said what that does and asked. A link
 * ends as by an unlink.
 */
import type { Command } from "commander";
import type { Environment } from "../../config/sources.ts";
import type { WorkDeps } from "../../deps.ts";
import { usage } from "../../errors.ts";
import type { EndedLink } from "../../link/banned_links.ts";
import { readBanEnd } from "../../operator/ban_end.ts";
import type { BannedAccounts } from "../../operator/bans.ts";
import { addBan, findLinksOf } from "../../operator/bans.ts";
import { findMember } from "../../operator/find_member.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readOperatorName } from "../operator_name.ts";
import { endWithFindings, print, warn } from "../output.ts";
import { describeLink, requireOne } from "../require_one.ts";
import { canAsk, confirm } from "../terminal.ts";
import { withWork } from "../with_work.ts";
import type { AccountOptions } from "./bans_account.ts";
import {
  addAccountOptions,
  checkAccountOptions,
  describeAccounts,
  describeEnd,
  readAccount,
  viewAccounts,
} from "./bans_account.ts";

type Options = AccountOptions & {
  readonly member?: string;
  readonly reason?: string;
  readonly until?: string;
  readonly yes?: boolean;
};

const MOST_REASON = 500;

/** Adds the command. Its exit code is 1 if nobody agreed. */
export function addBansAdd(bans: Command): void {
  addAccountOptions(bans.command("add"))
    .option(
      "--member <member>",
      "both accounts of a linked member: a Discord user id, a subject or a username",
    )
    .option("--reason <text>", "why, for operators alone; the member does not see it", readReason)
    .option("--until <end>", "when it ends by itself: 12h, 30d, 2w, or a date such as 2027-01-31")
    .option("--yes", "do not ask")
    .description("ban an account from linking; a link that it has ends, and with it the role")
    .addHelpText(
      "after",
      examples(
        'janus bans add --member anna --reason "sells roles"',
        "janus bans add --discord 80351110224678912 --until 30d",
        "janus bans add --subject 7f3c --until 2027-01-31 --yes --json",
      ),
    )
    .action(async (options: Options, command: Command) => {
      const { json } = readCommon(command);
      checkAccountOptions(options, ["discord", "subject", "member"]);
      const isAgreed = options.yes === true;
      if (!isAgreed && (json || !canAsk()))
        throw usage("janus bans add asks before it changes anything. To agree beforehand, add --yes.");
      await add({ ...options, isAgreed, json, environment: await readEnvironmentFor(command) });
    });
}

function readReason(word: string): string {
  const reason = word.trim();
  if (reason !== "" && printable(reason, MOST_REASON) === reason) return reason;
  throw usage(`A reason has 1 to ${MOST_REASON} characters, on one line.`);
}

/** What was asked for. `isAgreed` outlasts a database that went away in between. */
type Asked = Options & { readonly json: boolean; readonly environment: Environment; isAgreed: boolean };

type Added = {
  readonly accounts: BannedAccounts;
  readonly expiresAt: Date | null;
  readonly ended: readonly EndedLink[];
};

async function add(asked: Asked): Promise<void> {
  const { environment, json, reason = null } = asked;
  const added = await withWork(environment, json, async (deps): Promise<Added | undefined> => {
    const expiresAt = asked.until === undefined ? null : readBanEnd(asked.until, deps.now());
    const accounts = await findAccounts(deps, asked);
    if (!asked.isAgreed && !(await agrees(deps, accounts, expiresAt))) return undefined;
    asked.isAgreed = true;
    const operator = readOperatorName(environment);
    return { accounts, expiresAt, ended: await addBan(deps, { ...accounts, expiresAt, reason, operator }) };
  });
  if (added === undefined) {
    endWithFindings();
    return print("Nothing was changed.");
  }
  await tell(added, reason, json);
}

async function findAccounts(
  deps: WorkDeps,
  { member, environment, ...options }: Asked,
): Promise<BannedAccounts> {
  if (member === undefined) return readAccount(options, environment);
  const { discordUserId, issuer, subject } = requireOne(member, await findMember(deps, member));
  return { discordUserId, issuer, subject };
}

/** Says what the ban does, and asks. */
async function agrees(deps: WorkDeps, accounts: BannedAccounts, expiresAt: Date | null): Promise<boolean> {
  const links = await findLinksOf(deps, accounts);
  const until = expiresAt === null ? "until you lift the ban" : `until ${expiresAt.toISOString()}`;
  await print(`${describeAccounts(accounts)} may not link ${until}.`);
  if (links.length === 0) await print("No link has to end: Janus has none of this account.");
  for (const link of links)
    await print(
      `This link ends now, with the role, and the member is signed out everywhere:\n  ${describeLink(link)}`,
    );
  return confirm("Ban?");
}

async function tell(
  { accounts, expiresAt, ended }: Added,
  reason: string | null,
  json: boolean,
): Promise<void> {
  for (const { discordUserId, roleMayStay } of ended)
    if (roleMayStay)
      await warn(
        `Discord did not clear the role connection of ${discordUserId}: take the role away by hand, see janus audit`,
        json,
      );
  if (json)
    return print(
      JSON.stringify({
        ...viewAccounts(accounts),
        until: expiresAt?.toISOString() ?? null,
        reason,
        links_ended: ended.map(({ discordUserId, discordTold, roleMayStay }) => ({
          discord_user_id: discordUserId,
          discord_told: discordTold,
          role_may_stay: roleMayStay,
        })),
      }),
    );
  const lines = ended.map(({ discordUserId, discordTold }) =>
    discordTold
      ? `The link of ${discordUserId} has ended, and Discord has been told.`
      : `The link of ${discordUserId} has ended. Discord could not be told yet: a server tells it as soon as it answers.`,
  );
  await print(
    [`Banned: ${describeAccounts(accounts)}, until ${describeEnd(expiresAt)}.`, ...lines].join("\n"),
  );
}
