/** `janus links sync`, which is `janus sync --member`, and `janus links unlink`, which undoes a link after it has asked. */
import type { Command } from "commander";
import type { Environment } from "../../config/sources.ts";
import type { Unlinked } from "../../link/unlink.ts";
import { unlinkMember } from "../../operator/change_link.ts";
import { findMember } from "../../operator/find_member.ts";
import { toJson } from "../../text/json_text.ts";
import { requireAgreement } from "../agreement.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { readOperatorName } from "../operator_name.ts";
import { readReason } from "../option_values.ts";
import { endWithFindings, print } from "../output.ts";
import { describeLink, requireOne } from "../require_one.ts";
import { confirm } from "../terminal.ts";
import { withWork } from "../with_work.ts";
import { sync } from "./sync.ts";

const MEMBER = "a Discord user id, a subject or a username";
/** The trail keeps a reason for years. */
const MOST_OF_REASON = 200;

/** Adds `sync`. Its exit codes are those of `janus sync`. */
export function addLinksSync(links: Command): void {
  links
    .command("sync")
    .argument("<member>", MEMBER)
    .option("--dry-run", "say what would change; spends no token, and changes nothing anywhere")
    .description("read a member's claims again and tell Discord what has changed: janus sync --member")
    .addHelpText("after", examples("janus links sync anna", "janus links sync anna --dry-run"))
    .action(async (member: string, { dryRun = false }: { readonly dryRun?: boolean }, command: Command) => {
      const environment = await readEnvironmentFor(command);
      await sync({ member, dryRun, environment, json: readCommon(command).json });
    });
}

type Options = { readonly yes?: boolean; readonly reason?: string };

/** Adds `unlink`. Its exit code is 1 if nobody agreed, or if the member may still have the role. */
export function addLinksUnlink(links: Command): void {
  links
    .command("unlink")
    .argument("<member>", MEMBER)
    .option("--reason <text>", "for the trail, which the member can read", readReason(MOST_OF_REASON))
    .option("--yes", "do not ask")
    .description("undo a link: the member loses the role, and their tokens and sessions end")
    .addHelpText(
      "after",
      examples(
        "janus links unlink anna",
        'janus links unlink 80351110224678912 --yes --reason "has asked for it by mail"',
      ),
    )
    .action(async (member: string, { yes = false, reason }: Options, command: Command) => {
      const { json } = readCommon(command);
      requireAgreement("janus links unlink", yes, json);
      const environment = await readEnvironmentFor(command);
      const unlinked = await unlink({ member, reason, json, environment, isAgreed: yes });
      await tell(unlinked, json);
    });
}

/** What was asked for. `isAgreed` outlasts a database that went away in between. */
type Asked = {
  readonly member: string;
  readonly reason: string | undefined;
  readonly environment: Environment;
  readonly json: boolean;
  isAgreed: boolean;
};

/** Undefined if nobody agreed. */
function unlink(asked: Asked): Promise<Unlinked | undefined> {
  const { member, reason, environment, json } = asked;
  return withWork(environment, json, async (deps) => {
    const link = requireOne(member, await findMember(deps, member));
    if (!asked.isAgreed) {
      await print(describeLink(link));
      asked.isAgreed = await confirm(
        "The member loses the role, and must link again to get it back. Unlink?",
      );
    }
    if (!asked.isAgreed) return undefined;
    const { discordUserId } = link;
    return unlinkMember(deps, { discordUserId, operator: readOperatorName(environment), reason });
  });
}

async function tell(unlinked: Unlinked | undefined, json: boolean): Promise<void> {
  if (unlinked === undefined) {
    endWithFindings();
    return print("Nothing was changed.");
  }
  const { discordUserId, discordTold, providerTold, roleMayStay } = unlinked;
  if (roleMayStay) endWithFindings();
  if (json)
    return print(
      toJson({
        unlinked: discordUserId,
        discord_told: discordTold,
        provider_told: providerTold,
        role_may_stay: roleMayStay,
      }),
    );
  await print(
    [
      `The link of ${discordUserId} is gone.`,
      ...(roleMayStay
        ? ["Janus could not clear the role connection. Remove the role in Discord: see janus audit."]
        : [
            discordTold
              ? "Discord has cleared the role connection."
              : "Discord could not be told yet. A server tells it as soon as it can.",
          ]),
      ...(providerTold ? [] : ["The provider could not be told yet. A server tells it as soon as it can."]),
    ].join("\n"),
  );
}
