/**
 * `janus bans add`: bans an account, or both accounts of a linked member, after it has said what that does and asked. A link
 * ends as by an unlink.
 */
import type { Command } from "commander";
import type { Environment } from "../../config/sources.ts";
import type { WorkDeps } from "../../deps.ts";
import type { EndedLink } from "../../link/banned_links.ts";
import { isUsernameIssuer } from "../../oidc/username_issuer.ts";
import { readBanEnd } from "../../operator/ban_end.ts";
import type { BannedAccounts } from "../../operator/bans.ts";
import { addBan, findLinksOf } from "../../operator/bans.ts";
import { findMember } from "../../operator/find_member.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { requireAgreement } from "../agreement.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readOperatorName } from "../operator_name.ts";
import { readReason } from "../option_values.ts";
import { endWithFindings, print, warn, warnOfRisk } from "../output.ts";
import { describeLink, requireOne } from "../require_one.ts";
import { confirm } from "../terminal.ts";
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
  readonly until?: Date;
  readonly yes?: boolean;
};

const MOST_OF_REASON = 500;

/** Adds the command. Its exit code is 1 if nobody agreed, or if a member may still have the role. */
export function addBansAdd(bans: Command): void {
  addAccountOptions(bans.command("add"))
    .option(
      "--member <member>",
      "both accounts of a linked member: a Discord user id, a subject or a username",
    )
    .option(
      "--reason <text>",
      "why, for operators alone; the member does not see it",
      readReason(MOST_OF_REASON),
    )
    .option("--until <end>", "when it ends by itself: 12h, 30d, 2w, or a date such as 2027-01-31", (word) =>
      readBanEnd(word, now()),
    )
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
      checkAccountOptions(options, ["discord", "subject", "member"], "janus bans add");
      const isAgreed = options.yes === true;
      requireAgreement("janus bans add", isAgreed, json);
      await add({ ...options, isAgreed, json, environment: await readEnvironmentFor(command) });
    });
}

/** What was asked for. `isAgreed` outlasts a database that went away in between. */
type Asked = Options & { readonly json: boolean; readonly environment: Environment; isAgreed: boolean };

type Added = {
  readonly accounts: BannedAccounts;
  readonly expiresAt: Date | null;
  readonly ended: readonly EndedLink[];
};

async function add(asked: Asked): Promise<void> {
  const { environment, json, reason = null, until: expiresAt = null } = asked;
  const added = await withWork(environment, json, async (deps): Promise<Added | undefined> => {
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
  { member, environment, json, ...options }: Asked,
): Promise<BannedAccounts> {
  if (member === undefined) return readAccount(options, environment);
  const { discordUserId, issuer, subject } = requireOne(
    member,
    await findMember(deps, member),
    "To ban somebody without a link, name --discord <id> or --subject <subject>.",
  );
  if (isUsernameIssuer(issuer)) await warnOfRisk(KNOWN_BY_USERNAME, json);
  return { discordUserId, issuer, subject };
}

const KNOWN_BY_USERNAME =
  "this member was imported by username, and Janus does not know their subject. Everybody who signs in with that username is banned; " +
  "with another one, and another Discord account, they can still link. Once you know their subject, ban it as well, with " +
  "janus bans add --subject";

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
  for (const { discordUserId } of ended.filter(({ roleMayStay }) => roleMayStay)) {
    endWithFindings();
    await warn(
      `Janus could not clear the role connection of ${discordUserId}. Remove the role in Discord: see janus audit.`,
      json,
    );
  }
  if (json)
    return print(
      toJson({
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
  await print(
    [
      `Banned: ${describeAccounts(accounts)}, until ${describeEnd(expiresAt)}.`,
      ...ended.map(describeEnded),
    ].join("\n"),
  );
}

function describeEnded({ discordUserId, discordTold, roleMayStay }: EndedLink): string {
  if (roleMayStay) return `The link of ${discordUserId} has ended.`;
  return discordTold
    ? `The link of ${discordUserId} has ended, and Discord has been told.`
    : `The link of ${discordUserId} has ended. Discord could not be told yet: a server tells it as soon as it answers.`;
}
